// Draws the charts, filters by database and channel, zooms. Everything from the log is set as text, never as HTML.
(function () {
  "use strict";

  const D = JSON.parse(document.getElementById("data").textContent);
  const by = (id) => document.getElementById(id);
  const WORDS = ["done", "failed", "retried", "requeued", "lost"];
  const MARK = {
    runner_started: ["runner", "job runner started"],
    runner_stopped: ["runner", "job runner stopped"],
    runner_error: ["runner", "job runner error"],
    runner_standby: ["runner", "job runner on standby"],
    server_started: ["server", "server started"],
    server_stopped: ["server", "server stopped"],
    worker_killed: ["worker", "worker killed"],
    rotation: ["rotation", "log rotated"],
  };
  // What is shown: a database, a channel (null: all), and the intervals from..to (to is not among them).
  const shown = { db: null, channel: null, from: 0, to: D.length };
  const charts = [];
  const unique = (values) => [...new Set(values)].sort();
  const dbs = unique(D.lanes.map((l) => l.db));

  // Numbers as people read them; the same as the page's own.
  const count = (n) => Math.round(n).toLocaleString("en-US");
  function duration(s) {
    if (s === null || s === undefined || Number.isNaN(s)) return "–";
    const two = (n) => String(n).padStart(2, "0");
    if (s < 0.9995) return Math.round(s * 1000) + " ms";
    if (s < 9.995) return s.toFixed(2) + " s";
    if (s < 59.95) return s.toFixed(1) + " s";
    const whole = Math.round(s);
    if (whole < 3600) return Math.floor(whole / 60) + " min " + two(whole % 60) + " s";
    const minutes = Math.round(s / 60);
    if (minutes < 1440) return Math.floor(minutes / 60) + " h " + two(minutes % 60) + " min";
    const hours = Math.round(s / 3600);
    return count(Math.floor(hours / 24)) + " d " + two(hours % 24) + " h";
  }
  // On an axis: 200 ms, 5 s, 10 min, 2 h.
  function short(s) {
    for (const [unit, name] of [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]])
      if (s >= unit) return +(s / unit).toFixed(1) + " " + name;
    return s === 0 ? "0" : +(s * 1000).toPrecision(2) + " ms";
  }
  const compact = (n) => (n >= 10000 ? +(n / 1000).toFixed(1) + "k" : count(n));
  const share = (part) => {
    const percent = Math.round(part * 1000) / 10;
    if (percent === 0 && part > 0) return "< 0.1 %";
    if (percent === 100 && part < 1) return "> 99.9 %";
    return percent.toFixed(1) + " %";
  };
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  function moment(ms, day) {
    const t = new Date(ms), two = (n) => String(n).padStart(2, "0");
    const clock = two(t.getUTCHours()) + ":" + two(t.getUTCMinutes()) + (D.width < 60000 ? ":" + two(t.getUTCSeconds()) : "");
    return day === false ? clock : t.getUTCDate() + " " + MONTHS[t.getUTCMonth()] + " " + t.getUTCFullYear() + " " + clock;
  }
  const start = (i) => D.start + i * D.width;
  const plain = (ms) => short(ms / 1000);

  // Adding up what is selected.
  const lanes = () => D.lanes.filter((l) => (shown.db === null || l.db === shown.db) && (shown.channel === null || l.channel === shown.channel));
  function summed(pick) {
    const sums = new Array(D.length).fill(0);
    for (const lane of lanes()) {
      const numbers = pick(lane) || [];
      for (let i = 0; i < numbers.length; i++) sums[i] += numbers[i];
    }
    return sums;
  }
  function highest(pick) {
    const most = new Array(D.length).fill(0);
    for (const lane of lanes()) (pick(lane) || []).forEach((n, i) => { if (n > most[i]) most[i] = n; });
    return most;
  }
  // The durations of each interval, by step; of those from..to only.
  function stepped(kind, from, to) {
    const found = new Map();
    for (const lane of lanes())
      for (const [i, ...steps] of lane[kind]) {
        if (i < from || i >= to) continue;
        let into = found.get(i);
        if (!into) found.set(i, (into = new Map()));
        for (let k = 0; k < steps.length; k += 2) into.set(steps[k], (into.get(steps[k]) || 0) + steps[k + 1]);
      }
    return found;
  }
  function merged(found) {
    const all = new Map();
    for (const steps of found.values()) for (const [step, n] of steps) all.set(step, (all.get(step) || 0) + n);
    return all;
  }
  const seconds = (step) => (step === D.zero ? 0 : (2 * Math.pow(D.gamma, step)) / (D.gamma + 1));
  function quantile(steps, part) {
    let total = 0;
    for (const n of steps.values()) total += n;
    if (!total) return null;
    const rank = Math.max(1, Math.ceil(part * total));
    let passed = 0;
    for (const step of [...steps.keys()].sort((a, b) => a - b)) {
      passed += steps.get(step);
      if (passed >= rank) return seconds(step);
    }
    return null;
  }
  const within = (numbers) => {
    let sum = 0;
    for (let i = shown.from; i < shown.to; i++) sum += numbers[i];
    return sum;
  };
  const whole = () => shown.from === 0 && shown.to === D.length;
  // A percentile: the report's own where it has one, else from the steps.
  function percentile(kind, name, part) {
    const db = shown.db === null && shown.channel !== null && dbs.length === 1 ? dbs[0] : shown.db;
    const exact = D.exact.find((e) => e.db === db && e.channel === shown.channel);
    if (whole() && exact && exact[kind]) return [exact[kind][name], true];
    return [quantile(merged(stepped(kind, shown.from, shown.to)), part), false];
  }

  // The numbers at the top.
  function tiles() {
    const put = (key, text) => { const at = document.querySelector('[data-tile="' + key + '"]'); if (at) at.textContent = text; };
    const note = (key, text) => { const at = document.querySelector('[data-note="' + key + '"]'); if (at) at.textContent = text; };
    const sums = {};
    for (const word of WORDS) {
      sums[word] = within(summed((l) => l.counts[word]));
      put(word, D.hidden[word] && !sums[word] ? "–" : count(sums[word]));
    }
    put("ended", count(within(summed((l) => l.ended))));
    const outcomes = sums.done + sums.failed;
    note("done", outcomes ? share(sums.done / outcomes) + " of outcomes" : "");
    note("failed", outcomes ? share(sums.failed / outcomes) + " of outcomes" : "");
    let approximate = false;
    for (const [key, kind, name, part] of [["run50", "run", "p50", 0.5], ["run95", "run", "p95", 0.95], ["delay95", "delay", "p95", 0.95]]) {
      const [value, exact] = percentile(kind, name, part);
      put(key, value === null ? "–" : duration(value));
      if (value !== null && !exact) approximate = true;
    }
    put("open", D.hidden.dispatched && !D.lanes.some((l) => l.left.length) ? "–" : count(summed((l) => l.left)[shown.to - 1]));
    by("approximate").hidden = !approximate;
    by("range").textContent = moment(start(shown.from)) + " to " + moment(start(shown.to), new Date(start(shown.from)).toDateString() !== new Date(start(shown.to)).toDateString()) + " UTC" + (whole() ? "" : ", a part of it");
  }

  // Charts.
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const faint = (hex, part) => hex + Math.round(part * 255).toString(16).padStart(2, "0");
  const TINT = { done: "good", failed: "bad", retried: "warn", requeued: "mixed", lost: "lost", dispatched: "cool", p50: "good", p95: "warn", p99: "bad", pending: "soft", enqueued: "warn", started: "good", open: "cool", oldest: "bad", longest: "soft", jobs: "cool" };
  const tint = (name) => colour(TINT[name] || "cool");
  const HEIGHT = 190;
  const TIMES = [
    [31536000, "{YYYY}", null, null, null, null, null, null, 1],
    [2419200, "{MMM}", "\n{YYYY}", null, null, null, null, null, 1],
    [86400, "{D} {MMM}", "\n{YYYY}", null, null, null, null, null, 1],
    [3600, "{HH}:{mm}", "\n{D} {MMM} {YYYY}", null, "\n{D} {MMM}", null, null, null, 1],
    [60, "{HH}:{mm}", "\n{D} {MMM} {YYYY}", null, "\n{D} {MMM}", null, null, null, 1],
    [1, "{HH}:{mm}:{ss}", "\n{D} {MMM} {YYYY}", null, "\n{D} {MMM}", null, null, null, 1],
  ];
  const SPANS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 432800, 864000];
  const DECADES = [0.001, 0.01, 0.1, 1, 10, 60, 600, 3600, 36000, 360000, 3600000];
  const COUNTS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6];

  const marksAt = (i) => D.marks.filter((m) => m[0] === i);
  const told = (marks) => marks.map(([, kind, n, notes]) => MARK[kind][1] + (n > 1 ? " ×" + n : "") + (notes.length ? ": " + notes.join(", ") : "")).join("\n");
  function drawMarks(u) {
    const ctx = u.ctx, ratio = devicePixelRatio || 1;
    ctx.save();
    for (const [i, kind] of D.marks) {
      if (i < shown.from || i >= shown.to) continue;
      const group = MARK[kind][0];
      const x = Math.round(u.valToPos((start(i) + D.width / 2) / 1000, "x", true));
      ctx.strokeStyle = colour({ runner: "cool", worker: "bad", server: "mixed", rotation: "soft" }[group]);
      ctx.lineWidth = 1.5 * ratio;
      ctx.setLineDash(group === "rotation" ? [1.5 * ratio, 3 * ratio] : group === "server" ? [5 * ratio, 3 * ratio] : []);
      ctx.globalAlpha = 0.75;
      ctx.beginPath();
      ctx.moveTo(x, u.bbox.top);
      ctx.lineTo(x, u.bbox.top + u.bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  // A chart over time. spec: title, sub, names of series, get() -> arrays, stacked, log, time (seconds on y).
  function timeChart(spec) {
    const figure = document.createElement("figure");
    figure.className = "chart";
    figure.innerHTML = '<figcaption><h3></h3><span class="sub"></span></figcaption><div class="plot" tabindex="0"></div><details><summary>Values as a table</summary><div class="scroll" tabindex="0" role="region"></div></details>';
    figure.querySelector("h3").textContent = spec.title;
    figure.querySelector(".sub").textContent = spec.sub;
    const plot = figure.querySelector(".plot");
    plot.setAttribute("role", "group");
    plot.setAttribute("aria-roledescription", "chart");
    figure.querySelector(".scroll").setAttribute("aria-label", spec.title + ", values");
    by("charts").append(figure);
    const chart = { spec, figure, plot, u: null, raw: [], at: null, key: spec.key };
    const axis = (own) => Object.assign({ stroke: () => colour("soft"), grid: { stroke: () => colour("grid"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" }, own);

    chart.options = () => {
      const format = spec.time ? duration : count;
      const bars = uPlot.paths.bars({ size: [0.94, 80], align: 1, gap: 0 });
      // Without a cursor: how many in all.
      const value = (u, v, s, i) => (i === null || i === undefined ? (spec.bars ? count(within(chart.raw[s - 1])) : "") : chart.raw[s - 1][i] === null ? "–" : format(chart.raw[s - 1][i]));
      return {
        width: Math.max(240, plot.clientWidth),
        height: HEIGHT,
        tzDate: (t) => uPlot.tzDate(new Date(t * 1000), "Etc/UTC"),
        ms: 1e-3,
        padding: [10, 12, 0, 0],
        cursor: { sync: { key: "time", setSeries: false }, drag: { x: true, y: false, setScale: false }, points: { show: !spec.bars, size: 6 }, focus: { prox: -1 }, bind: { dblclick: () => () => { range(0, D.length); return null; } } },
        select: { show: true },
        legend: { live: true, markers: { width: 0, fill: (u, s) => u.series[s].stroke_ || tint(u.series[s].key_) } },
        scales: { x: { time: true, range: () => [start(shown.from) / 1000, start(shown.to) / 1000] }, y: spec.log ? { distr: 3, log: 10, range: (u, low, high) => logRange(low, high) } : { range: (u, low, high) => [0, (high || 1) * 1.08] } },
        axes: [
          axis({ values: TIMES, space: 68, size: 38 }),
          axis({
            size: 62, space: 34, incrs: spec.time ? SPANS : COUNTS, filter: (u, splits) => splits,
            splits: spec.log ? (u, a, low, high) => DECADES.filter((v) => v >= low * 0.999 && v <= high * 1.001) : undefined,
            values: (u, splits) => splits.map((v) => (v === null ? "" : spec.time ? short(v) : Number.isInteger(v) ? compact(v) : "")),
          }),
        ],
        series: [
          { label: "from", value: (u, v, s, i) => (i === null || i === undefined ? "" : moment(start(i), false)) },
          ...spec.names.map(([key, label]) => ({
            label, key_: key, value,
            stroke: () => tint(key),
            fill: spec.bars ? () => tint(key) : spec.area ? () => faint(tint(key), 0.28) : undefined,
            width: spec.bars ? 0 : 2,
            paths: spec.bars ? bars : spec.steps ? uPlot.paths.stepped({ align: 1 }) : undefined,
            points: spec.bars || spec.area || spec.steps ? { show: false } : { show: true, size: 5, filter: (u, s) => alone(u.data[s]) },
          })),
        ],
        hooks: {
          draw: [drawMarks],
          setSelect: [(u) => {
            if (u.select.width < 4) return;
            const at = (px) => (u.posToVal(px, "x") * 1000 - D.start) / D.width;
            const from = Math.floor(at(u.select.left)), to = Math.ceil(at(u.select.left + u.select.width));
            u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            range(from, to);
          }],
          setCursor: [(u) => tip(chart, u)],
        },
      };
    };
    chart.data = () => {
      chart.raw = spec.get();
      const x = Array.from({ length: D.length }, (_, i) => start(i) / 1000);
      if (!spec.stacked) return [x, ...chart.raw.map((numbers) => (spec.log ? numbers.map((v) => (v === null ? null : Math.max(v, 0.001))) : numbers))];
      const sum = new Array(D.length).fill(0);
      const stacks = chart.raw.slice().reverse().map((numbers) => numbers.map((v, i) => (sum[i] += v)));
      return [x, ...stacks.reverse().map((numbers) => numbers.map((v) => (v === 0 && spec.bars ? null : v)))];
    };
    chart.draw = () => {
      const data = chart.data();
      const any = chart.raw.some((numbers) => numbers.some((v, i) => v && i >= shown.from && i < shown.to));
      if (chart.u) { chart.u.destroy(); chart.u = null; }
      plot.textContent = "";
      const hidden = spec.needs && !chart.raw.some((numbers) => numbers.some((v) => v)) && D.hidden[spec.needs];
      if (!any) {
        const empty = document.createElement("p");
        empty.className = "empty";
        empty.textContent = hidden ? "Not visible: " + hidden + "." : "None in what is selected.";
        plot.append(empty);
      } else {
        chart.u = new uPlot(chart.options(), data, plot);
        chart.tip = document.createElement("div");
        chart.tip.className = "tip";
        chart.tip.hidden = true;
        chart.u.over.append(chart.tip);
      }
      plot.setAttribute("aria-label", spec.title + ". " + spoken(chart) + " Arrow keys read the values.");
      table(chart);
    };
    plot.addEventListener("keydown", (event) => keys(chart, event));
    plot.addEventListener("blur", () => { if (chart.u) chart.u.setCursor({ left: -10, top: -10 }); chart.at = null; });
    figure.querySelector("details").addEventListener("toggle", () => table(chart));
    charts.push(chart);
  }
  // Values without a neighbour to draw a line to.
  function alone(numbers) {
    const found = [];
    numbers.forEach((v, i) => { if (v !== null && (numbers[i - 1] ?? null) === null && (numbers[i + 1] ?? null) === null) found.push(i); });
    return found;
  }
  function logRange(low, high) {
    if (!low || !high) return [0.001, 1];
    const under = DECADES.filter((v) => v <= low), over = DECADES.filter((v) => v >= high * 1.05);
    return [under[under.length - 1] || DECADES[0], over[0] || high * 1.05];
  }
  function spoken(chart) {
    const format = chart.spec.time ? duration : count;
    const parts = chart.spec.names.map(([, label], s) => {
      let best = null, at = 0;
      for (let i = shown.from; i < shown.to; i++) { const v = chart.raw[s][i]; if (v !== null && (best === null || v > best)) { best = v; at = i; } }
      return best ? label + " at most " + format(best) + ", at " + moment(start(at)) : null;
    }).filter(Boolean);
    return parts.length ? parts.join("; ") + "." : "Nothing to show.";
  }
  function tip(chart, u) {
    if (!chart.tip) return;
    const i = u.cursor.idx;
    const marks = u.cursor.left >= 0 && i !== null && i !== undefined ? marksAt(i) : [];
    chart.tip.hidden = !marks.length;
    if (!marks.length) return;
    chart.tip.textContent = told(marks);
    const right = u.cursor.left > u.over.clientWidth / 2;
    chart.tip.style.left = right ? "auto" : u.cursor.left + 8 + "px";
    chart.tip.style.right = right ? u.over.clientWidth - u.cursor.left + 8 + "px" : "auto";
  }
  function keys(chart, event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== chart.plot) return;
    const step = event.shiftKey ? 10 : 1;
    const go = { ArrowRight: step, ArrowLeft: -step }[event.key];
    if (go && chart.u) {
      chart.at = Math.min(shown.to - 1, Math.max(shown.from, chart.at === null ? (go > 0 ? shown.from : shown.to - 1) : chart.at + go));
      const x = chart.u.valToPos(start(chart.at) / 1000, "x");
      chart.u.setCursor({ left: x, top: HEIGHT / 3 });
      const format = chart.spec.time ? duration : count;
      const marks = told(marksAt(chart.at));
      by("said").textContent = moment(start(chart.at)) + ": " + chart.spec.names.map(([, label], s) => label + " " + (chart.raw[s][chart.at] === null ? "none" : format(chart.raw[s][chart.at]))).join(", ") + (marks ? ". " + marks : "");
    } else if (event.key === "+" || event.key === "=") zoom("in", chart.at);
    else if (event.key === "-") zoom("out", chart.at);
    else if (event.key === "0" || event.key === "Escape") range(0, D.length);
    else return;
    event.preventDefault();
  }
  function table(chart) {
    const details = chart.figure.querySelector("details"), into = details.querySelector(".scroll");
    into.textContent = "";
    if (!details.open) return;
    const format = chart.spec.time ? duration : count;
    const out = document.createElement("table");
    const row = (cells, tag) => {
      const tr = document.createElement("tr");
      cells.forEach((text, i) => {
        const cell = document.createElement(tag || (i ? "td" : "th"));
        if (tag || !i) cell.scope = tag ? "col" : "row";
        cell.textContent = text;
        tr.append(cell);
      });
      return tr;
    };
    const head = document.createElement("thead"), body = document.createElement("tbody");
    head.append(row(["from (UTC)", ...chart.spec.names.map((n) => n[1])], "th"));
    for (let i = shown.from; i < shown.to; i++) {
      const values = chart.raw.map((numbers) => numbers[i]);
      if (values.some((v) => v)) body.append(row([moment(start(i)), ...values.map((v) => (v === null ? "–" : format(v)))]));
    }
    out.append(head, body);
    into.append(out);
  }

  // How durations are spread.
  function spreadChart(spec) {
    const figure = document.createElement("figure");
    figure.className = "chart";
    figure.innerHTML = '<figcaption><h3></h3><span class="sub"></span></figcaption><div class="plot" role="img"></div>';
    figure.querySelector("h3").textContent = spec.title;
    const plot = figure.querySelector(".plot"), sub = figure.querySelector(".sub");
    by("spread").append(figure);
    const chart = { spec, figure, plot, u: null, raw: [], key: spec.key };
    const WIDE = 2; // steps in one bar
    chart.draw = () => {
      const steps = merged(stepped(spec.kind, shown.from, shown.to));
      if (chart.u) { chart.u.destroy(); chart.u = null; }
      plot.textContent = "";
      sub.textContent = "";
      const hidden = D.hidden[spec.needs];
      if (!steps.size) {
        const empty = document.createElement("p");
        empty.className = "empty";
        empty.textContent = hidden ? "Not visible: " + hidden + "." : "None in what is selected.";
        plot.append(empty);
        plot.setAttribute("aria-label", spec.title + ": none");
        return;
      }
      const bars = new Map();
      let low = Infinity, high = -Infinity, total = 0;
      for (const [step, n] of steps) {
        const bar = Math.floor(Math.max(step, -73) / WIDE);
        bars.set(bar, (bars.get(bar) || 0) + n);
        low = Math.min(low, bar); high = Math.max(high, bar); total += n;
      }
      low -= 1; high += 1;
      const x = [], y = [];
      for (let bar = low; bar <= high; bar++) { x.push(bar); y.push(bars.get(bar) || null); }
      chart.raw = [y];
      const upper = (bar) => Math.pow(D.gamma, (bar + 1) * WIDE - 1);
      const place = (s) => (Math.log(Math.max(s, 0.001)) / Math.log(D.gamma) + 1) / WIDE;
      const nice = [0.001, 0.01, 0.1, 1, 10, 60, 600, 3600, 36000, 360000].filter((s) => place(s) >= low && place(s) <= high + 1);
      const at = (name, part) => percentile(spec.kind, name, part)[0];
      const lines = [["p50", at("p50", 0.5)], ["p95", at("p95", 0.95)], ["p99", at("p99", 0.99)]].filter((l) => l[1] !== null);
      sub.textContent = count(total) + " measured; " + lines.map(([n, v]) => n + " " + duration(v)).join(", ");
      plot.setAttribute("aria-label", spec.title + ": " + sub.textContent);
      const soft = () => colour("soft");
      chart.u = new uPlot({
        width: Math.max(240, plot.clientWidth), height: HEIGHT, padding: [14, 12, 0, 0],
        cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
        legend: { live: true, markers: { width: 0, fill: (u, s) => tint(u.series[s].key_) } },
        scales: { x: { time: false, range: [low, high + 1] }, y: { range: (u, a, b) => [0, (b || 1) * 1.12] } },
        axes: [
          { stroke: soft, grid: { stroke: () => colour("grid"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif", splits: () => nice.map(place), values: () => nice.map(short), size: 30 },
          { stroke: soft, grid: { stroke: () => colour("grid"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif", size: 62, incrs: COUNTS, values: (u, s) => s.map((v) => (v === null ? "" : compact(v))), space: 34 },
        ],
        series: [
          { label: "up to", value: (u, v, s, i) => (i === null || i === undefined ? "" : duration(upper(x[i]))) },
          { label: spec.what, key_: "jobs", value: (u, v, s, i) => (i === null || i === undefined ? count(total) : !v ? "0" : count(v) + " (" + share(v / total) + ")"), stroke: () => tint("jobs"), fill: () => tint("jobs"), width: 0, paths: uPlot.paths.bars({ size: [0.9, 60], align: 1 }), points: { show: false } },
        ],
        hooks: { draw: [(u) => {
          const ctx = u.ctx, ratio = devicePixelRatio || 1;
          ctx.save();
          ctx.font = 11 * ratio + "px system-ui, sans-serif";
          ctx.textAlign = "left";
          lines.forEach(([name, value], n) => {
            const px = Math.round(u.valToPos(place(value), "x", true));
            ctx.strokeStyle = ctx.fillStyle = tint(name);
            ctx.lineWidth = 1.5 * ratio;
            ctx.setLineDash([4 * ratio, 3 * ratio]);
            ctx.beginPath(); ctx.moveTo(px, u.bbox.top); ctx.lineTo(px, u.bbox.top + u.bbox.height); ctx.stroke();
            ctx.fillText(name, px + 4 * ratio, u.bbox.top + (11 + 13 * n) * ratio);
          });
          ctx.restore();
        }] },
      }, [x, y], plot);
    };
    charts.push(chart);
  }

  // Filters and zoom.
  function redraw() {
    for (const chart of charts) chart.draw();
    tiles();
    for (const button of document.querySelectorAll("[data-go]"))
      button.disabled = whole() && button.dataset.go !== "in";
  }
  function range(from, to) {
    from = Math.max(0, Math.min(D.length - 1, from));
    to = Math.max(from + 1, Math.min(D.length, to));
    if (to - from < 3) { from = Math.max(0, from - 1); to = Math.min(D.length, Math.max(from + 3, to)); }
    shown.from = from; shown.to = to;
    redraw();
    by("said").textContent = by("range").textContent;
  }
  function zoom(how, around) {
    const length = shown.to - shown.from;
    const middle = around === null || around === undefined ? (shown.from + shown.to) / 2 : around;
    const half = Math.max(1, Math.round(length / 4));
    if (how === "in") range(Math.floor(middle - half), Math.ceil(middle + half));
    else if (how === "out") range(shown.from - Math.ceil(length / 2), shown.to + Math.ceil(length / 2));
    else if (how === "all") range(0, D.length);
    else {
      const by_ = how === "earlier" ? -Math.min(Math.ceil(length / 2), shown.from) : Math.min(Math.ceil(length / 2), D.length - shown.to);
      range(shown.from + by_, shown.to + by_);
    }
  }
  function filter() {
    for (const at of document.querySelectorAll("main [data-db]")) at.toggleAttribute("data-away", shown.db !== null && at.dataset.db !== shown.db);
    for (const at of document.querySelectorAll("main [data-channel]")) at.toggleAttribute("data-away", shown.channel !== null && at.dataset.channel !== shown.channel);
    redraw();
  }
  function choose(select, values, all, unknown) {
    select.textContent = "";
    for (const value of [null, ...values]) {
      const option = document.createElement("option");
      option.value = value === null ? "-" : "=" + value;
      option.textContent = value === null ? all : value || unknown;
      select.append(option);
    }
    select.closest("label").hidden = values.length < 2;
  }
  const channels = () => unique(D.lanes.filter((l) => shown.db === null || l.db === shown.db).map((l) => l.channel));

  function begin() {
    if (!by("bar") || !D.lanes.length) return;
    choose(by("db"), dbs, "all", "unknown");
    choose(by("channel"), channels(), "all", "not told");
    by("db").addEventListener("change", (event) => {
      shown.db = event.target.value === "-" ? null : event.target.value.slice(1);
      if (!channels().includes(shown.channel)) shown.channel = null;
      choose(by("channel"), channels(), "all", "not told");
      by("channel").value = shown.channel === null ? "-" : "=" + shown.channel;
      filter();
    });
    by("channel").addEventListener("change", (event) => {
      shown.channel = event.target.value === "-" ? null : event.target.value.slice(1);
      filter();
    });
    by("bar").addEventListener("submit", (event) => event.preventDefault());
    for (const button of document.querySelectorAll("[data-go]")) button.addEventListener("click", () => zoom(button.dataset.go));
    for (const id of ["bar", "help", "h-spread"]) by(id).hidden = false;

    const per = "in each " + plain(D.width);
    const groups = new Map(D.marks.map(([, kind]) => [MARK[kind][0], true]));
    const legend = by("marks");
    for (const [group, text] of [["runner", "job runner"], ["server", "server started or stopped"], ["worker", "worker killed"], ["rotation", "log rotated"]]) {
      if (!groups.has(group)) continue;
      const item = document.createElement("span"), line = document.createElement("i");
      line.className = group;
      item.append(line, text);
      legend.append(item);
    }
    legend.hidden = !groups.size;

    const counts = (word) => summed((l) => l.counts[word]);
    const series = (kind) => {
      const found = stepped(kind, 0, D.length);
      return [0.5, 0.95, 0.99].map((part) => Array.from({ length: D.length }, (_, i) => (found.has(i) ? quantile(found.get(i), part) : null)));
    };
    const percentiles = [["p50", "p50"], ["p95", "p95"], ["p99", "p99"]];
    const ends = WORDS.map((word) => [word, word]);
    timeChart({ key: "throughput", title: "Throughput", sub: "attempts that ended, " + per, names: D.hidden.done && !D.lanes.some((l) => l.ended.length) ? [["dispatched", "dispatched"]] : ends, get() { return this.names.map(([word]) => counts(word)); }, stacked: true, bars: true });
    timeChart({ key: "trouble", title: "Failures and retries", sub: per, names: ends.slice(1), get: () => WORDS.slice(1).map(counts), stacked: true, bars: true, needs: "failed" });
    const states = D.starts ? [["started", "running"], ["enqueued", "wait for a worker"], ["pending", "pending"]] : [["enqueued", "dispatched or running"], ["pending", "pending"]];
    timeChart({
      key: "open", title: "Open jobs", sub: "the most " + per, names: states, stacked: true, area: true, steps: true, needs: "dispatched",
      get: () => states.map(([state]) => {
        const numbers = summed((l) => l.open[state]);
        if (D.starts || state !== "enqueued") return numbers;
        const started = summed((l) => l.open.started);
        return numbers.map((n, i) => n + started[i]);
      }),
    });
    timeChart({ key: "oldest", title: "Oldest open job", sub: "its age at most, " + per, names: [["oldest", "dispatched or running"], ["longest", "pending"]], get: () => [highest((l) => l.oldest), highest((l) => l.longest)], steps: true, time: true, needs: "dispatched" });
    timeChart({ key: "run", title: "Run time", sub: "of attempts that ended, " + per, names: percentiles, get: () => series("run"), time: true, log: true, needs: "duration" });
    timeChart({ key: "delay", title: "Dispatch delay", sub: "from dispatch to start, " + per, names: percentiles, get: () => series("delay"), time: true, log: true, needs: "dispatch_delay" });
    if (D.lanes.some((l) => l.wait.length)) timeChart({ key: "wait", title: "Queue wait", sub: "from creation to first dispatch, " + per, names: percentiles, get: () => series("wait"), time: true, log: true, needs: "queue_wait" });
    spreadChart({ key: "run-spread", title: "Run times", what: "attempts", kind: "run", needs: "duration" });
    spreadChart({ key: "delay-spread", title: "Dispatch delays", what: "starts", kind: "delay", needs: "dispatch_delay" });
    if (D.lanes.some((l) => l.wait.length)) spreadChart({ key: "wait-spread", title: "Queue waits", what: "jobs", kind: "wait", needs: "queue_wait" });
    redraw();

    let width = innerWidth, wait = 0;
    addEventListener("resize", () => {
      clearTimeout(wait);
      wait = setTimeout(() => { if (innerWidth !== width) { width = innerWidth; redraw(); } }, 120);
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    // On paper the page has other colours and another width.
    addEventListener("beforeprint", () => print(true));
    addEventListener("afterprint", () => print(false));
    matchMedia("print").addEventListener("change", redraw);
  }
  let theme = null;
  function print(on) {
    const root = document.documentElement;
    if (on) { theme = root.dataset.theme || ""; root.dataset.theme = "light"; }
    else if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
    for (const chart of charts) if (chart.u) chart.u.setSize({ width: on ? 330 : Math.max(240, chart.plot.clientWidth), height: HEIGHT });
    for (const chart of charts) if (chart.u) chart.u.redraw(false, true);
  }

  // A link to a job opens its story.
  function opened() {
    let id = "";
    try { id = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    const at = id && by(id);
    if (at && at.tagName === "DETAILS") { at.open = true; at.scrollIntoView(); }
  }
  addEventListener("hashchange", opened);
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest('a[href^="#job-"]');
    if (link && link.hash === location.hash) opened();
  });

  const button = by("theme");
  const dark = () => (document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const label = () => { button.textContent = dark() ? "Light" : "Dark"; };
  button.hidden = false;
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = dark() ? "light" : "dark";
    label();
    redraw();
  });
  label();
  begin();
  opened();
  // For tests, and for the curious: what is shown, and the numbers behind it.
  window.logparse = { data: D, shown, charts, range };
})();
