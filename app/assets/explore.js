// The Explore page: a gesture in one of its three parts becomes the selection that all show.
window.dash_clientside = window.dash_clientside || {};

(function () {
    const CORNERS = 60; // of a lasso that a link can hold

    function shorter(value) {
        return Number(value.toPrecision(6));
    }

    // A box or a lasso of the scatter, in SI. It is also dropped when another part selects.
    function drawn(selected, meta, held) {
        if (!selected || (!selected.range && !selected.lassoPoints)) {
            return held.by === "scatter" || held.by === "link" ? {} : undefined;
        }
        const [across, up] = meta.scales;
        if (selected.range) {
            const ends = (pair, scale) => pair.map((end) => shorter(end * scale)).sort((a, b) => a - b);
            const ranges = { [meta.x]: [ends(selected.range.x, across)] };
            if (meta.y !== meta.x) {
                ranges[meta.y] = [ends(selected.range.y, up)];
            }
            return { by: "scatter", ranges };
        }
        const { x, y } = selected.lassoPoints;
        const step = Math.ceil(x.length / CORNERS);
        const points = x
            .map((value, i) => [shorter(value * across), shorter(y[i] * up)])
            .filter((_, i) => i % step === 0);
        if (points.length < 3) {
            return {};
        }
        return { by: "scatter", lasso: { x: meta.x, y: meta.y, log: meta.log, points } };
    }

    // A brushed axis as ranges in SI; a choice is the codes under the brush.
    function intervals(value, dimension) {
        const pairs = typeof value[0] === "number" ? [value] : value;
        if (dimension.choice) {
            const found = [];
            pairs.forEach(([low, high]) => {
                for (let code = Math.ceil(low); code <= Math.floor(high); code++) {
                    found.push([code, code]);
                }
            });
            return found;
        }
        const real = (end) =>
            shorter((dimension.log ? Math.pow(10, end) : end) * dimension.scale);
        return pairs.map((pair) => pair.map(real));
    }

    function brushed(restyled, meta, held) {
        const ranges = { ...(held.ranges || {}) };
        Object.entries(restyled[0] || {}).forEach(([key, wrapped]) => {
            const match = key.match(/^dimensions\[(\d+)\]\.constraintrange$/);
            if (!match) {
                return;
            }
            const dimension = meta.dimensions[Number(match[1])];
            const value = wrapped && wrapped[0];
            const found = value && value.length ? intervals(value, dimension) : [];
            if (found.length) {
                ranges[dimension.name] = found;
            } else {
                delete ranges[dimension.name];
            }
        });
        return Object.keys(ranges).length ? { by: "lines", ranges } : { by: "lines" };
    }

    function ticked(rows, held) {
        const numbers = (Array.isArray(rows) ? rows : []).map((row) => row.row);
        const before = held.rows || [];
        const same = numbers.length === before.length && numbers.every((n) => before.includes(n));
        if (same || (!numbers.length && !held.rows)) {
            return undefined;
        }
        return numbers.length ? { by: "table", rows: numbers } : {};
    }

    window.dash_clientside.explore = {
        select: function (selected, restyled, rows, _, scatter, lines, held) {
            const same = window.dash_clientside.no_update;
            const triggers = window.dash_clientside.callback_context.triggered;
            const name = triggers.length ? triggers[0].prop_id : "";
            const before = held || {};
            let after;
            if (name.startsWith("explore-front-graph")) {
                after = drawn(selected, scatter.layout.meta, before);
            } else if (name.startsWith("explore-lines-graph") && restyled) {
                after = brushed(restyled, lines.layout.meta, before);
            } else if (name.startsWith("explore-front-grid")) {
                after = ticked(rows, before);
            } else if (name.startsWith("explore-selection-clear")) {
                after = {};
            }
            return after === undefined ? same : after;
        },
    };
})();
