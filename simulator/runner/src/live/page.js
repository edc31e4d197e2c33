'use strict';
// Draws what squall tells by server-sent events. Nothing is computed here but rates of counts and places on the screen.
(() => {
  const SVG = 'http://www.w3.org/2000/svg';
  const QUIET_MS = 5000;
  const byId = id => document.getElementById(id);
  const make = (name, text = '', attributes = {}, space = null) => {
    const element = space ? document.createElementNS(space, name) : document.createElement(name);
    if (text) element.textContent = text;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const draw = (name, attributes, text = '') => make(name, text, attributes, SVG);

  let head = null, status = null, points = [], over = null, ended = false, cursor = null, heardAt = Date.now(), isLinked = true;

  // Figures as reports write them.
  const count = number => Math.round(number).toLocaleString('en-US');
  const digits = (number, of = 3) => number === 0 ? '0' : number >= 100 ? number.toFixed(0) : number.toPrecision(of);
  const time = us => us === null || us === undefined ? '–'
    : us < 1000 ? `${digits(us)} µs` : us < 1e6 ? `${digits(us / 1e3)} ms` : us < 6e7 ? `${digits(us / 1e6)} s` : `${digits(us / 6e7)} min`;
  const perSecond = number => number === null ? '–' : `${number >= 100 ? count(number) : digits(number, 2)}/s`;
  const clock = seconds => {
    const whole = Math.max(0, Math.round(seconds)), two = number => String(number).padStart(2, '0');
    const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
    return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
  };

  // A rate over less than this says little: an interval that a fault cut short.
  const RATE_MIN_S = 0.25;
  const rate = field => point => {
    const length = point.end_s - point.start_s;
    return length < RATE_MIN_S ? null : point[field] / length;
  };
  const CHARTS = [
    { id: 'rates', title: 'Messages a second', text: perSecond, lines: [
      { name: 'offered', look: 's5', of: rate('scheduled') }, { name: 'sent', look: 's0', of: rate('sent') },
      { name: 'delivered', look: 's2', of: rate('delivered') }] },
    { id: 'latency', title: 'End-to-end latency', text: time, isLog: true, lines: [
      { name: 'max', look: 's1', of: point => point.max_us }, { name: 'p99', look: 's3', of: point => point.p99_us },
      { name: 'p50', look: 's0', of: point => point.p50_us }] },
    { id: 'outstanding', title: 'Backlog: sent, and not yet delivered', text: count, lines: [
      { name: 'deliveries', look: 's0', of: point => point.outstanding, at: point => point.outstanding_at_s }] },
    { id: 'online', title: 'Devices connected', text: count, lines: [
      { name: 'devices', look: 's0', of: point => point.online, at: point => point.end_s }] },
    { id: 'lag', title: 'Generator: how late it was', text: time, isLog: true, lines: [
      { name: 'max', look: 's1', of: point => point.lag_max_us }, { name: 'p99', look: 's3', of: point => point.lag_p99_us }] },
  ];
  const EDGE = { left: 58, right: 10, top: 14, bottom: 22 }, HEIGHT = 190;

  const start = phase => status?.phases.find(known => known.phase === phase)?.start_s;
  const zero = () => start('measure') ?? 0;
  const span = () => {
    const last = points.length ? points[points.length - 1].end_s : 0;
    const end = Math.max(status?.at_s ?? 0, last);
    return [0, Math.max(end, 10)];
  };

  /** Round numbers from 0 to the top, or powers of ten. */
  const ticks = (top, isLog, bottom) => {
    if (isLog) {
      const all = [];
      for (let power = Math.ceil(Math.log10(bottom)); power <= Math.log10(top) + 1e-9; power++) all.push(10 ** power);
      return all;
    }
    const rough = top / 3, unit = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map(times => times * unit).find(size => size >= rough);
    const all = [];
    for (let tick = 0; tick <= top * 1.001; tick += step) all.push(tick);
    return all;
  };
  const timeTicks = (from, to, room) => {
    const steps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400];
    const step = steps.find(size => (to - from) / size <= room / 55) ?? 86400;
    const all = [];
    for (let at = Math.ceil((from - zero()) / step) * step; at + zero() <= to; at += step) all.push(at);
    return all;
  };

  const figures = CHARTS.map(chart => {
    const figure = make('figure', '', { tabindex: '0', 'aria-label': chart.title });
    const keys = make('p', '', { class: 'keys' });
    const plot = draw('svg', { class: 'plot', role: 'img', 'aria-label': chart.title });
    const heading = make('h3', chart.title);
    figure.append(heading, keys, plot);
    byId('grid').append(figure);
    const seen = { chart, figure, heading, keys, plot, x: null };
    plot.addEventListener('pointermove', event => {
      if (!seen.x) return;
      const box = plot.getBoundingClientRect();
      cursor = seen.x.at(event.clientX - box.left);
      drawAll();
    });
    plot.addEventListener('pointerleave', () => { cursor = null; drawAll(); });
    figure.addEventListener('keydown', event => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.key === 'Escape') cursor = null;
      else if (step && points.length) {
        const place = cursor === null ? points.length - (step > 0 ? 1 : 0) : placeOf(cursor);
        const point = points[Math.min(points.length - 1, Math.max(0, place + step))];
        cursor = (point.start_s + point.end_s) / 2;
      } else return;
      event.preventDefault();
      drawAll();
    });
    return seen;
  });

  const placeOf = at => {
    const place = points.findIndex(point => at < point.end_s);
    return place < 0 ? points.length - 1 : place;
  };

  const drawKeys = ({ chart, keys, plot }) => {
    const point = points[cursor === null ? points.length - 1 : placeOf(cursor)];
    keys.replaceChildren();
    for (const { name, look, of } of chart.lines) {
      const sign = draw('svg', { viewBox: '0 0 26 10', 'aria-hidden': 'true' });
      sign.append(draw('path', { class: `s ${look}`, d: 'M0 5H26' }));
      const value = point ? of(point) : null;
      const key = make('span');
      key.append(sign, `${name} `, make('b', value === null || value === undefined ? '–' : chart.text(value)));
      keys.append(key);
    }
    if (!point) return;
    const [from, to] = [point.start_s - zero(), point.end_s - zero()];
    keys.append(make('span', `${cursor === null ? 'last: ' : ''}${from.toFixed(1)} to ${to.toFixed(1)} s`));
    plot.setAttribute('aria-label', `${chart.title}. ${keys.textContent}`);
  };

  const drawPlot = seen => {
    const { chart, plot } = seen;
    const width = plot.clientWidth || 300;
    plot.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
    const [from, to] = span();
    const inside = width - EDGE.left - EDGE.right, high = HEIGHT - EDGE.top - EDGE.bottom;
    const x = at => EDGE.left + (at - from) / (to - from) * inside;
    seen.x = { at: place => Math.min(to, Math.max(from, from + (place - EDGE.left) / inside * (to - from))) };
    const lines = chart.lines.map(line => ({ ...line, values: points.map(line.of) }));
    const known = lines.flatMap(line => line.values).filter(value => value !== null && value !== undefined && (!chart.isLog || value > 0));
    const most = Math.max(...known, chart.isLog ? 10 : 1), least = Math.min(...known, most);
    const bottom = chart.isLog ? 10 ** Math.floor(Math.log10(Math.max(least, 1))) : 0;
    const top = chart.isLog ? Math.max(10 ** Math.ceil(Math.log10(most)), bottom * 10) : most * 1.08;
    const share = value => chart.isLog ? Math.log10(Math.max(value, bottom) / bottom) / Math.log10(top / bottom) : value / top;
    const y = value => EDGE.top + high * (1 - share(value));

    plot.replaceChildren();
    const block = (a, b, name) => plot.append(draw('rect', { class: name, x: x(a), y: EDGE.top, width: Math.max(0, x(b) - x(a)), height: high }));
    const measured = start('measure') ?? to, drained = start('drain');
    block(from, Math.min(measured, to), 'unmeasured');
    if (drained !== undefined) block(drained, to, 'unmeasured');
    for (const tick of ticks(top, chart.isLog, bottom)) {
      plot.append(draw('path', { class: 'rule', d: `M${EDGE.left} ${y(tick)}H${width - EDGE.right}` }));
      plot.append(draw('text', { x: EDGE.left - 6, y: y(tick) + 4, 'text-anchor': 'end' }, chart.text(tick)));
    }
    for (const tick of timeTicks(from, to, inside)) {
      const place = x(tick + zero());
      plot.append(draw('path', { class: 'rule', d: `M${place} ${EDGE.top}V${EDGE.top + high}` }));
      plot.append(draw('text', { x: place, y: HEIGHT - 6, 'text-anchor': 'middle' }, Math.abs(tick) < 120 ? `${tick} s` : clock(Math.abs(tick))));
    }
    plot.append(draw('path', { class: 'axis', d: `M${EDGE.left} ${EDGE.top + high}H${width - EDGE.right}` }));
    for (const strike of status?.strikes ?? []) {
      const place = x(strike.at_s);
      if (strike.lasts_s) block(strike.at_s, Math.min(to, strike.at_s + strike.lasts_s), 'lasts');
      const flag = draw('g', {});
      flag.append(draw('title', {}, `${strike.name}, ${count(strike.selected)} chosen`));
      flag.append(draw('path', { class: 'flag', d: `M${place} 2V${EDGE.top + high}` }));
      flag.append(draw('path', { class: 'flag-head', d: `M${place} 2l8 4l-8 4z` }));
      plot.append(flag);
    }
    for (const { look, values, at } of lines) {
      let path = '', isUp = true;
      values.forEach((value, place) => {
        if (value === null || value === undefined) { isUp = true; return; }
        const point = points[place], middle = x(at ? at(point) : (point.start_s + point.end_s) / 2).toFixed(1);
        // A lone point is a short line.
        const next = values[place + 1], isAlone = isUp && (next === null || next === undefined);
        path += `${isUp ? 'M' : 'L'}${middle} ${y(value).toFixed(1)}${isAlone ? 'h2' : ''}`;
        isUp = false;
      });
      plot.append(draw('path', { class: `s ${look}`, d: path }));
    }
    if (cursor !== null) plot.append(draw('path', { class: 'cursor', d: `M${x(cursor)} ${EDGE.top}V${EDGE.top + high}` }));
  };

  const drawHead = () => {
    if (!head) return;
    const of = head.total > 1 ? ` (run ${head.number} of ${head.total})` : '';
    byId('scenario').textContent = head.scenario + of;
    byId('target').textContent = `against ${head.target}`;
    byId('question').textContent = head.question ?? head.scenario;
    const word = over ? over.outcome ?? 'no verdict' : status?.phase ?? 'starting';
    byId('phase').textContent = word;
    const tone = { PASS: 'pass', FAIL: 'fail', INVALID: 'invalid' }[over?.outcome] ?? 'none';
    byId('head').className = `verdict ${tone}`;
    document.title = `${word} · ${head.scenario} · squall`;
    const at = status?.at_s ?? 0, left = status?.left_s ?? 0;
    const isLimit = ['checking', 'leaving', 'ending', 'finished'].includes(status?.phase);
    byId('way').value = over ? 1 : isLimit ? 1 : at / Math.max(at + left, 1e-9);
    byId('time').textContent = over ? `over after ${clock(at)}`
      : isLimit ? `${clock(at)}, the load is over` : `${clock(at)} of ${clock(at + left)}, ${clock(left)} left`;
    const rest = [];
    if (over?.why) rest.push(over.why);
    if (over && !ended && head.number < head.total) rest.push('The next run follows.');
    if (status?.links_awaited && !over) rest.push(`Waiting for ${count(status.links_awaited)} simulated links that still hold something.`);
    const last = status?.strikes.at(-1);
    if (last && !over) rest.push(`Last fault: ${last.name}, ${(last.at_s - zero()).toFixed(1)} s.`);
    byId('rest').textContent = rest.join(' ');
  };

  const populationOf = of => `${of.group} QoS ${of.qos}${of.late ? ', late' : ''}`;
  /** Groups and QoS have nothing in common: the slowest of them is shown first, and each has its row. What waited for a device that was away is told apart. */
  const slowestOf = all => all.filter(of => !of.late)
    .sort((one, other) => (other.percentiles_us.p99 ?? other.max_us) - (one.percentiles_us.p99 ?? one.max_us))[0];

  const drawLatencies = () => {
    const all = status.e2e_latency_of;
    byId('latencies').hidden = all.length < 2;
    byId('latency-rows').replaceChildren(...all.map(of => {
      const row = make('tr');
      row.append(make('th', populationOf(of), { scope: 'row' }));
      for (const cell of [count(of.count), time(of.percentiles_us.p50), time(of.percentiles_us.p99), time(of.max_us)]) row.append(make('td', cell));
      return row;
    }));
    const latency = figures.find(seen => seen.chart.id === 'latency');
    latency.heading.textContent = latency.chart.title + (all.length > 1 ? ', all groups and QoS together' : '');
  };

  const drawNow = () => {
    if (!status) return;
    const full = points.filter(point => point.end_s - point.start_s >= RATE_MIN_S).at(-1);
    const lastRate = field => full ? perSecond(rate(field)(full)) : '–';
    const lag = status.schedule_lag, slowest = slowestOf(status.e2e_latency_of);
    const latency = slowest?.percentiles_us.p99 != null ? ['p99', slowest.percentiles_us.p99] : ['max', slowest?.max_us];
    const wrong = ['duplicated', 'reordered', 'corrupted', 'misrouted'].filter(name => status[name] > 0).map(name => `${name} ${count(status[name])}`);
    const tiles = [
      ['Devices connected', `${count(status.online)} of ${count(status.devices)}`, `most at once ${count(status.peak_online)}`],
      ['Delivered', lastRate('delivered'), `${count(status.first_deliveries)} up to now`],
      ['Sent', lastRate('sent'), `${count(status.sent)} of ${count(status.scheduled)} due`],
      [`Latency ${latency[0]}${slowest ? `, ${populationOf(slowest)}` : ''}`, time(latency[1]), slowest ? `p50 ${time(slowest.percentiles_us.p50)}, max ${time(slowest.max_us)}` : 'nothing was delivered'],
      ['Backlog', count(status.outstanding), `of ${count(status.expected)} deliveries expected`],
      ['Lost', count(status.lost), wrong.join(', ') || `excused ${count(status.excused)}`, status.lost > 0],
      ['Faults', count(status.faults_applied), `${count(status.strikes.length)} strikes`],
      ['Generator lag p99', time(lag?.percentiles_us.p99), `max ${time(lag?.max_us)}`],
    ];
    byId('now').replaceChildren(...tiles.map(([name, value, beside, isBad]) => {
      const tile = make('div', '', isBad ? { class: 'bad' } : {});
      tile.append(make('dt', name), make('dd', value), make('dd', beside, { class: 'beside' }));
      return tile;
    }));
    drawLatencies();
    const words = { held: 'held so far', broken: 'broken', open: 'too little to judge by yet', at_the_end: 'judged at the end' };
    const marks = { held: '✓', broken: '✗', open: '…', at_the_end: '…' };
    const order = ['broken', 'held', 'open', 'at_the_end'];
    const claims = [...status.claims].sort((one, other) => order.indexOf(one.state) - order.indexOf(other.state));
    byId('claims-head').hidden = claims.length === 0;
    byId('claims').replaceChildren(...claims.map(claim => {
      const line = make('li', '', { class: claim.state });
      const found = claim.found === null ? '' : ` ${claim.found}`;
      const limit = claim.limit === null ? '' : `, limit ${claim.limit}`;
      line.append(make('span', marks[claim.state], { class: 'mark', 'aria-hidden': 'true' }), `${claim.name}${found}${limit}: ${words[claim.state]}`);
      return line;
    }));
  };

  const drawAll = () => {
    drawHead();
    drawNow();
    for (const seen of figures) { drawKeys(seen); drawPlot(seen); }
  };
  let isAsked = false;
  const drawSoon = () => {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => { isAsked = false; drawAll(); });
  };
  new ResizeObserver(drawSoon).observe(byId('grid'));

  const tellLink = () => {
    const quiet = Date.now() - heardAt, isQuiet = isLinked && !over && head && quiet > QUIET_MS;
    const text = ended ? '' : !isLinked ? 'The connection to squall is broken: what is shown is from before. The page tries again by itself.'
      : isQuiet ? `squall has said nothing for ${clock(quiet / 1000)}: what is shown may be old.` : '';
    const line = byId('link');
    if (line.textContent !== text) line.textContent = text;
    line.hidden = !text;
  };
  setInterval(tellLink, 1000);

  const events = new EventSource('/events');
  const on = (name, hear) => events.addEventListener(name, event => {
    heardAt = Date.now();
    isLinked = true;
    hear(JSON.parse(event.data));
    tellLink();
    drawSoon();
  });
  events.addEventListener('open', () => { isLinked = true; heardAt = Date.now(); tellLink(); });
  events.addEventListener('error', () => { isLinked = false; tellLink(); });
  on('begin', told => { head = told; status = null; points = []; over = null; cursor = null; });
  on('points', told => {
    const from = told.whole ? -Infinity : told.points[0]?.start_s ?? Infinity;
    points = points.filter(point => point.start_s < from).concat(told.points);
  });
  on('status', told => { status = told; });
  on('over', told => { over = told; });
  on('end', told => {
    ended = true;
    events.close();
    if (told.report) location.replace(told.report);
  });
})();
