// What the Design page does in the browser: it gathers changes until the server has seen them,
// waits for a person to pause before charts are drawn, and keeps a way back.
window.dash_clientside = Object.assign({}, window.dash_clientside);

(function () {
    const SETTLED = 250; // ms without a change before charts follow
    const RESTED = 1000; // ms before all single changes are priced
    const ONE_TOUCH = 2000; // ms in which changes of one knob are one step back
    const PATH = "/design";

    let pending = [];
    let born = "";
    let count = 0;
    let timers = [];
    let last = { touched: "", at: 0 };

    const here = () => document.getElementById("design-page-body") !== null;
    const put = (store, data) => here() && window.dash_clientside.set_props(store, { data });

    window.dash_clientside.design = {
        // Every change that the server has not answered yet: none is lost while it answers another.
        changed: function (value, state) {
            const { type, index } = window.dash_clientside.callback_context.triggered_id;
            const change = { kind: type.split("-").pop(), path: index, value };
            const told = state.echo.some(
                (one) =>
                    one.kind === change.kind &&
                    one.path === change.path &&
                    String(one.value) === String(value)
            );
            if (!told && value !== null && value !== undefined) {
                count += 1;
                const unseen = (one) => one.count > state.seen;
                pending = born === state.born ? pending.filter(unseen) : [];
                pending.push({ ...change, count });
                born = state.born;
                put("design-change-store", pending);
            }
            return window.dash_clientside.no_update; // what the server has just written is no change
        },

        // Charts and intervals of what is slow follow once a person pauses.
        settled: function (state, settled) {
            timers.forEach(clearTimeout);
            if (JSON.stringify(state) !== JSON.stringify(settled)) {
                timers = [
                    setTimeout(() => put("design-settled-store", state), SETTLED),
                    setTimeout(() => put("design-rested-store", state), RESTED),
                ];
            }
        },

        // The address follows the design; one step back is one knob.
        went: function (link, state) {
            const now = Date.now();
            if (!link || !here() || new URL(link, location.href).search === location.search) {
                return;
            }
            const same = state.touched === last.touched && now - last.at < ONE_TOUCH;
            const way = same || !state.touched ? "replaceState" : "pushState";
            history[way](history.state, "", link);
            last = { touched: state.touched, at: now };
        },
    };

    // Back, forward and a link to this page: the design is read from the address again.
    const back = () => {
        if (location.pathname === PATH) {
            last = { touched: "", at: 0 };
            put("design-back-store", { search: location.search, at: Date.now() });
        }
    };
    window.addEventListener("popstate", back);
    window.addEventListener("_dashprivate_pushstate", back);
})();
