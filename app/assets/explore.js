// The Explore page: a gesture in one of its three parts becomes the selection that all show.
window.dash_clientside = window.dash_clientside || {};

(function () {
    const CORNERS = 60; // of a lasso that a link can hold
    const CLICK = 4; // pixels that a pointer may move and still click

    function shorter(value) {
        return Number(value.toPrecision(6));
    }

    // A box or a lasso over the scatter as a selection, from its corners in display units.
    function drawn(gesture, meta) {
        const points = gesture.corners.map((corner) =>
            corner.map((value, i) => shorter(value * meta.scales[i]))
        );
        if (gesture.kind === "lasso") {
            return { by: "scatter", lasso: { x: meta.x, y: meta.y, log: meta.log, points } };
        }
        const ends = (i) => points.map((point) => point[i]).sort((a, b) => a - b);
        const ranges = { [meta.x]: [ends(0)] };
        if (meta.y !== meta.x) {
            ranges[meta.y] = [ends(1)];
        }
        return { by: "scatter", ranges };
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

    // What a person draws over the front. Plotly's own box tells of every point inside, which
    // takes seconds for 200,000; here the corners alone are told, and the server finds the designs.
    let pen = null;

    function plot() {
        return document.querySelector("#explore-front-graph .js-plotly-plot");
    }

    function dragging() {
        const chosen = document.querySelector("#explore-drag-radio input:checked");
        return chosen ? chosen.value : "box";
    }

    // Where the pointer is within the axes, in pixels.
    function within(event, gd) {
        const box = gd.getBoundingClientRect();
        const size = gd._fullLayout._size;
        const clip = (value, most) => Math.min(Math.max(value, 0), most);
        return [
            clip(event.clientX - box.left - size.l, size.w),
            clip(event.clientY - box.top - size.t, size.h),
        ];
    }

    function outline(start, corners, kind) {
        if (kind === "lasso") {
            return corners;
        }
        const end = corners[corners.length - 1];
        return [start, [end[0], start[1]], end, [start[0], end[1]]];
    }

    function begin(event) {
        const gd = plot();
        const over = event.target.classList && event.target.classList.contains("nsewdrag");
        if (event.button || !over || !gd || !gd.contains(event.target) || dragging() === "zoom") {
            return;
        }
        const sheet = document.createElementNS(gd.querySelector("svg").namespaceURI, "svg");
        sheet.setAttribute("class", "explore-pen");
        sheet.appendChild(document.createElementNS(sheet.namespaceURI, "polygon"));
        pen = { gd, sheet, kind: dragging(), corners: [within(event, gd)] };
    }

    function go(event) {
        if (!pen) {
            return;
        }
        const { gd, sheet, kind, corners } = pen;
        corners.push(within(event, gd));
        if (!sheet.parentNode) {
            gd.appendChild(sheet);
        }
        const { l, t } = gd._fullLayout._size;
        const places = outline(corners[0], corners, kind).map(([x, y]) => `${x + l},${y + t}`);
        sheet.firstChild.setAttribute("points", places.join(" "));
    }

    function end(event) {
        if (!pen) {
            return;
        }
        const { gd, sheet, kind, corners } = pen;
        pen = null;
        sheet.remove();
        const far = corners.some(
            ([x, y]) => Math.abs(x - corners[0][0]) > CLICK && Math.abs(y - corners[0][1]) > CLICK
        );
        if (event.type === "pointercancel" || !far) {
            return; // a click, which Plotly tells
        }
        const step = Math.ceil(corners.length / CORNERS);
        const kept = corners.filter((_, i) => i % step === 0);
        const pair = [corners[0], corners[corners.length - 1]];
        const { xaxis, yaxis } = gd._fullLayout;
        const data = {
            kind,
            corners: (kind === "lasso" ? kept : pair).map(([x, y]) => [xaxis.p2d(x), yaxis.p2d(y)]),
            at: Date.now(),
        };
        if (kind === "box" || kept.length > 2) {
            window.dash_clientside.set_props("explore-gesture-store", { data });
        }
    }

    document.addEventListener("pointerdown", begin, true);
    document.addEventListener("pointermove", go, true);
    document.addEventListener("pointerup", end, true);
    document.addEventListener("pointercancel", end, true);

    window.dash_clientside.explore = {
        select: function (gesture, restyled, rows, _, scatter, lines, held) {
            const same = window.dash_clientside.no_update;
            const triggers = window.dash_clientside.callback_context.triggered;
            const name = triggers.length ? triggers[0].prop_id : "";
            const before = held || {};
            let after;
            if (name.startsWith("explore-gesture-store") && gesture) {
                after = drawn(gesture, scatter.layout.meta);
            } else if (name.startsWith("explore-lines-graph") && restyled) {
                after = brushed(restyled, lines.layout.meta, before);
            } else if (name.startsWith("explore-front-grid")) {
                after = ticked(rows, before);
            } else if (name.startsWith("explore-selection-clear")) {
                after = {};
            }
            return after === undefined ? same : after;
        },

        // Rings around the selected designs: one small trace changes, the others stay.
        ring: function (rings) {
            const gd = plot();
            const at = gd && gd.data ? gd.data.findIndex((trace) => trace.name === "selected") : -1;
            if (!rings || at < 0) {
                return;
            }
            const [across, up] = gd.layout.meta.scales;
            const change = {
                x: [rings.x.map((value) => value / across)],
                y: [rings.y.map((value) => value / up)],
                customdata: [rings.rows],
                showlegend: [rings.rows.length > 0],
            };
            window.Plotly.restyle(gd, change, [at]);
        },

        drag: function (kind) {
            const gd = plot();
            const mode = kind === "zoom" ? "zoom" : false;
            if (gd && gd._fullLayout && gd._fullLayout.dragmode !== mode) {
                window.Plotly.relayout(gd, { dragmode: mode });
            }
        },
    };
})();
