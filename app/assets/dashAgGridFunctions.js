// Formats of the table: numbers stay whole in the data and are shown in the header's unit.
var dagfuncs = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});

dagfuncs.dseShown = function (value, scale) {
    if (value === null || value === undefined) {
        return "unknown";
    }
    if (typeof value === "string") {
        return value; // infinite, which JSON has no number for
    }
    const number = Number((value / scale).toPrecision(3));
    return number.toLocaleString("en", { maximumSignificantDigits: 3 });
};

// The grid takes the page's colours, so light and dark need no second theme.
dagfuncs.dseTheme = function (theme) {
    return theme.withParams({
        backgroundColor: "var(--surface)",
        foregroundColor: "var(--ink)",
        headerBackgroundColor: "var(--raised)",
        accentColor: "var(--accent)",
        borderColor: "var(--line)",
        fontFamily: "inherit",
        fontSize: 13,
        rowHeight: 28,
        headerHeight: 32,
    });
};
