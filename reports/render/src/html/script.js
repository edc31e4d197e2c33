'use strict';
// The page is whole without this. It reads what is there: the charts' groups and the tables under them.
(() => {
  const make = (name, text, attributes = {}) => {
    const element = document.createElement(name);
    element.textContent = text;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const UNITS = {
    'µs': 1e-6, 'ms': 1e-3, 's': 1, 'min': 60, 'h': 3600, 'd': 86400, '%': 0.01,
    'KiB': 1024, 'MiB': 1024 ** 2, 'GiB': 1024 ** 3, 'kB/s': 1e3, 'MB/s': 1e6, 'kbit/s': 1e3, 'Mbit/s': 1e6,
  };
  /** The number that a cell shows, in the unit without a prefix; `null` for words. */
  const number = text => {
    const words = text.replaceAll('\u00a0', ' ').replaceAll('−', '-').replaceAll(',', '').trim();
    if (!/^[-+]?[0-9]/.test(words)) return null;
    let sum = 0;
    for (const [, digits, unit] of words.matchAll(/([-+]?[0-9.]+) ?([^ 0-9]*)/g)) sum += Number(digits) * (UNITS[unit] ?? 1);
    return sum;
  };

  const sort = (table, column, button) => {
    const body = table.tBodies[0];
    const falling = button.parentElement.getAttribute('aria-sort') === 'descending';
    for (const heading of table.tHead.rows[0].cells) heading.removeAttribute('aria-sort');
    button.parentElement.setAttribute('aria-sort', falling ? 'ascending' : 'descending');
    const keyed = [...body.rows].map(row => ({ row, text: row.cells[column].textContent, key: number(row.cells[column].textContent) }));
    const one = falling ? 1 : -1;
    keyed.sort((a, b) => {
      if (a.key !== null && b.key !== null) return one * (a.key - b.key);
      // What has no number comes last, whichever way.
      if (a.key !== null || b.key !== null) return a.key === null ? 1 : -1;
      return one * a.text.localeCompare(b.text);
    });
    body.append(...keyed.map(({ row }) => row));
  };
  for (const table of document.querySelectorAll('.box table')) {
    const headings = table.tHead?.rows[0]?.cells ?? [];
    if (table.tBodies[0].rows.length < 2) continue;
    [...headings].forEach((heading, column) => {
      const button = make('button', '', { type: 'button', class: 'sort' });
      const word = heading.querySelector('a.word');
      if (word) {
        // A link cannot be in a button.
        button.setAttribute('aria-label', `Sort by ${word.textContent}`);
        heading.append('\u00a0', button);
      } else {
        button.append(...heading.childNodes);
        heading.replaceChildren(button);
      }
      button.addEventListener('click', () => sort(table, column, button));
    });
  }

  for (const figure of document.querySelectorAll('figure')) {
    const groups = [...figure.querySelectorAll('g.series[data-name], g.name[data-name]')];
    const names = [...new Set(groups.filter(group => group.matches('.series')).map(group => group.dataset.name))];
    if (names.length < 2) continue;
    const row = make('div', '', { class: 'toggles', role: 'group', 'aria-label': 'Lines that are shown' });
    for (const name of names) {
      const button = make('button', name, { type: 'button', 'aria-pressed': 'true' });
      button.addEventListener('click', () => {
        const shown = button.getAttribute('aria-pressed') === 'false';
        button.setAttribute('aria-pressed', String(shown));
        for (const group of groups) if (group.dataset.name === name) group.classList.toggle('off', !shown);
      });
      row.append(button);
    }
    figure.querySelector('h3').after(row);
  }

  /** What a part of a picture shows when the plot shows `view`: `whole` is where it stands without zoom. */
  const placed = (picture, whole) => {
    const { left, right, from, to } = picture;
    const time = from + (whole - left) / (right - left) * (to - from);
    return left + (time - view.from) / (view.to - view.from) * (right - left);
  };
  /** Each part that has its place by time, and how it is put there. */
  const movable = picture => [...picture.svg.querySelectorAll('g.time polyline, g.time path, g.time rect, g.time circle, g.time text')].map(part => {
    const at = name => Number(part.getAttribute(name));
    const put = (name, x) => part.setAttribute(name, x.toFixed(1));
    switch (part.localName) {
      case 'polyline': {
        const points = part.getAttribute('points').trim().split(/ +/).map(point => point.split(',').map(Number));
        return () => part.setAttribute('points', points.map(([x, y]) => `${placed(picture, x).toFixed(1)},${y}`).join(' '));
      }
      case 'path': {
        const cells = [...part.getAttribute('d').matchAll(/M(\S+) (\S+)h(\S+)v(\S+)h-/g)].map(cell => cell.slice(1).map(Number));
        return () => part.setAttribute('d', cells.map(([x, y, width, height]) => {
          const from = placed(picture, x), across = Math.max(placed(picture, x + width) - from, 1).toFixed(1);
          return `M${from.toFixed(1)} ${y}h${across}v${height}h-${across}z`;
        }).join(''));
      }
      case 'rect': {
        const x = at('x'), width = at('width');
        // A flag keeps its size.
        const isFlag = at('y') < picture.top;
        return () => {
          put('x', placed(picture, x));
          if (!isFlag) put('width', Math.max(placed(picture, x + width) - placed(picture, x), 1));
        };
      }
      case 'circle': {
        const x = at('cx');
        return () => put('cx', placed(picture, x));
      }
      default: {
        const x = at('x');
        return () => {
          const to = placed(picture, x);
          put('x', to);
          part.setAttribute('visibility', to < picture.left || to > picture.right ? 'hidden' : 'visible');
        };
      }
    }
  });

  /** One picture of a chart over time: where its plot is, and what moves when the time shown does. */
  const pictured = svg => {
    const plot = svg?.querySelector('g.plot');
    if (!plot) return null;
    const [left, top, right, bottom, from, to] = plot.dataset.plot.split(' ').map(Number);
    const draw = (name, attributes, parent = svg) => {
      const element = document.createElementNS(svg.namespaceURI, name);
      for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
      parent.append(element);
      return element;
    };
    const picture = { svg, left, top, right, bottom, from, to, draw, box: svg.parentElement };
    const name = `plot-${svg.closest('figure').id}-${left}`;
    const clip = draw('clipPath', { id: name });
    draw('rect', { x: left, y: 0, width: right - left, height: bottom + 2 }, clip);
    // What stands above the plot may begin left of it, and has no part outside of the whole.
    picture.clip = isZoomed => {
      for (const group of svg.querySelectorAll('g.time')) {
        if (isZoomed) group.setAttribute('clip-path', `url(#${name})`); else group.removeAttribute('clip-path');
      }
    };
    picture.whole = [...svg.querySelectorAll('g.whole')];
    picture.zoomed = draw('g', { class: 'zoomed' });
    picture.chosen = draw('rect', { y: top, height: bottom - top, class: 'chosen', visibility: 'hidden' });
    picture.line = draw('line', { y1: top, y2: bottom, class: 'cross', visibility: 'hidden' });
    picture.moves = movable(picture);
    /** The moment under a pointer; `null` beside the plot. */
    picture.moment = event => {
      const area = svg.getBoundingClientRect();
      const x = (event.clientX - area.left) / area.width * svg.viewBox.baseVal.width;
      const share = (x - left) / (right - left);
      return { share, at: view.from + Math.min(Math.max(share, 0), 1) * (view.to - view.from) };
    };
    picture.x = moment => left + (moment - view.from) / (view.to - view.from) * (right - left);
    return picture;
  };
  /** A chart over time: its pictures and its numbers. */
  const timed = figure => {
    const pictures = [...figure.querySelectorAll('.chart svg')].map(pictured).filter(Boolean);
    if (!pictures.length) return null;
    const table = figure.querySelector('details table');
    const headings = table ? [...table.tHead.rows[0].cells].map(cell => cell.textContent.trim()) : [];
    const isByTime = headings[0] === 'From' && headings[1] === 'To' && headings[2] !== 'Latency from';
    const rows = isByTime
      ? [...table.tBodies[0].rows].map(row => [...row.cells].map(cell => cell.textContent)).map(cells => ({ cells, from: number(cells[0]), to: number(cells[1]) }))
      : [];
    const readout = make('p', '', { class: 'readout' });
    figure.querySelector('.chart').before(readout);
    return { figure, pictures, headings, rows, readout };
  };
  let view = { from: 0, to: 1 };
  const charts = [...document.querySelectorAll('figure')].map(timed).filter(Boolean);
  const pictures = charts.flatMap(chart => chart.pictures);
  const whole = { from: Math.min(...pictures.map(picture => picture.from)), to: Math.max(...pictures.map(picture => picture.to)) };
  view = { ...whole };
  let now = null;
  const show = moment => {
    now = moment;
    for (const chart of charts) {
      for (const { line, x } of chart.pictures) {
        const isShown = view.from <= moment && moment <= view.to;
        line.setAttribute('x1', x(moment));
        line.setAttribute('x2', x(moment));
        line.setAttribute('visibility', isShown ? 'visible' : 'hidden');
      }
      const row = chart.rows.find(row => row.from <= moment && moment < row.to);
      chart.readout.textContent = row
        ? `${row.cells[0]} to ${row.cells[1]}: ` + chart.headings.slice(2).map((name, index) => `${name} ${row.cells[index + 2]}`).join(' · ')
        : '';
    }
  };
  const hide = () => {
    now = null;
    for (const picture of pictures) picture.line.setAttribute('visibility', 'hidden');
    for (const chart of charts) chart.readout.textContent = '';
  };

  const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];
  const PARTS = [[86400, 'd'], [3600, 'h'], [60, 'min']];
  /** A moment as the axis has it, as exact as `step`. */
  const time = (moment, step) => {
    const places = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
    let rest = Number(Math.abs(moment).toFixed(places));
    const words = [];
    for (const [length, unit] of PARTS) {
      if (rest < length || (unit === 'min' && rest < 2 * length && !words.length)) continue;
      words.push(`${Math.floor(rest / length + 1e-9)} ${unit}`);
      rest -= Math.floor(rest / length + 1e-9) * length;
    }
    if (rest > 1e-9 || !words.length) words.push(`${rest.toFixed(places)} s`);
    return (moment < -1e-9 ? '−' : '') + words.join(' ');
  };
  const axis = picture => {
    picture.zoomed.replaceChildren();
    const isZoomed = view.from > whole.from || view.to < whole.to;
    picture.clip(isZoomed);
    for (const group of picture.whole) group.classList.toggle('off', isZoomed);
    if (!isZoomed) return;
    const like = picture.svg.querySelector('g.whole text');
    const most = (picture.right - picture.left) / 200;
    const step = STEPS.find(step => (view.to - view.from) / step <= most) ?? STEPS.at(-1);
    for (let count = Math.ceil(view.from / step - 1e-9); count * step <= view.to + 1e-9; count += 1) {
      const x = picture.x(count * step).toFixed(1);
      picture.draw('line', { x1: x, x2: x, y1: picture.bottom, y2: picture.bottom + 8, class: 'tick' }, picture.zoomed);
      const label = like ? like.cloneNode() : picture.draw('text', { y: picture.bottom + 30, 'text-anchor': 'middle' }, picture.zoomed);
      label.textContent = time(count * step, step);
      label.setAttribute('x', x);
      picture.zoomed.append(label);
    }
  };
  const bars = [];
  /** Shows the time from one moment to another in all charts over time. */
  const zoom = (from, to) => {
    const span = whole.to - whole.from;
    const length = Math.min(Math.max(to - from, Math.min(span, Math.max(span / 1000, 0.1))), span);
    const first = Math.min(Math.max(from, whole.from), whole.to - length);
    view = length >= span * 0.999 ? { ...whole } : { from: first, to: first + length };
    for (const picture of pictures) {
      for (const move of picture.moves) move();
      axis(picture);
    }
    if (now !== null) show(now);
    const step = STEPS.find(step => step >= length / 200) ?? 1;
    const isWhole = length >= span * 0.999;
    for (const { text, buttons } of bars) {
      text.textContent = isWhole ? 'The whole run is shown' : `${time(view.from, step)} to ${time(view.to, step)} is shown`;
      for (const [button, needsZoom] of buttons) button.disabled = needsZoom && isWhole;
    }
  };
  const closer = factor => {
    const middle = now !== null && view.from <= now && now <= view.to ? now : (view.from + view.to) / 2;
    zoom(middle - (middle - view.from) * factor, middle + (view.to - middle) * factor);
  };
  const aside = share => zoom(view.from + share * (view.to - view.from), view.to + share * (view.to - view.from));
  const back = () => zoom(whole.from, whole.to);
  for (const section of new Set(charts.map(chart => chart.figure.parentElement))) {
    const bar = make('div', '', { class: 'toggles zoom', role: 'group', 'aria-label': 'Time shown in all charts over time' });
    const buttons = [['Zoom in', () => closer(0.5), false], ['Zoom out', () => closer(2), true], ['Earlier', () => aside(-0.5), true],
      ['Later', () => aside(0.5), true], ['Whole run', back, true]].map(([name, act, needsZoom]) => {
      const button = make('button', name, { type: 'button' });
      button.addEventListener('click', act);
      bar.append(button);
      return [button, needsZoom];
    });
    const text = make('span', '', { role: 'status' });
    bar.append(text, make('span', 'Drag over a chart to zoom in', { class: 'hint' }));
    bars.push({ text, buttons });
    section.querySelector('figure:has(g.plot)').before(bar);
  }
  if (charts.length) zoom(whole.from, whole.to);

  for (const chart of charts) for (const picture of chart.pictures) {
    const { box, chosen } = picture;
    let start = null;
    box.tabIndex = 0;
    box.setAttribute('role', 'group');
    box.setAttribute('aria-label', 'Chart over time: the arrow keys move a line through all of them, plus and minus zoom there, Shift with an arrow moves the time that is shown, 0 shows the whole run, Escape takes the line away');
    const leave = () => {
      start = null;
      chosen.setAttribute('visibility', 'hidden');
    };
    box.addEventListener('pointerdown', event => {
      const { share, at } = picture.moment(event);
      if (event.button !== 0 || share < 0 || share > 1) return;
      start = at;
      if (event.pointerType === 'mouse') box.setPointerCapture(event.pointerId);
    });
    box.addEventListener('pointermove', event => {
      const { share, at } = picture.moment(event);
      if (start === null && (share < 0 || share > 1)) return hide();
      show(at);
      if (start === null) return;
      const [from, to] = [start, at].sort((a, b) => a - b).map(picture.x);
      chosen.setAttribute('x', from);
      chosen.setAttribute('width', to - from);
      chosen.setAttribute('visibility', 'visible');
    });
    box.addEventListener('pointerup', event => {
      const [from, to] = [start ?? NaN, picture.moment(event).at].sort((a, b) => a - b);
      leave();
      if (to - from > (view.to - view.from) / 100) zoom(from, to);
    });
    box.addEventListener('pointercancel', leave);
    box.addEventListener('pointerleave', () => { if (start === null) hide(); });
    box.addEventListener('dblclick', back);
    box.addEventListener('focus', () => chart.readout.setAttribute('aria-live', 'polite'));
    box.addEventListener('blur', () => { chart.readout.removeAttribute('aria-live'); hide(); });
    box.addEventListener('keydown', event => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const steps = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      const act = { '+': () => closer(0.5), '=': () => closer(0.5), '-': () => closer(2), 0: back, Escape: start === null ? hide : leave }[event.key];
      if (!steps && !act) return;
      event.preventDefault();
      if (act) return act();
      if (event.shiftKey) return aside(steps / 4);
      const first = chart.rows[0]?.from ?? picture.from;
      const step = (chart.rows[1]?.from ?? first + 1) - first;
      const at = now === null || now < view.from || now > view.to ? Math.max(first, view.from) - step / 2 : now;
      show(Math.min(Math.max(at + steps * step, view.from), view.to));
    });
  }

  const links = new Map([...document.querySelectorAll('nav a')].map(link => [link.hash.slice(1), link]));
  const seen = new IntersectionObserver(entries => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links.values()) link.removeAttribute('aria-current');
      links.get(entry.target.id)?.setAttribute('aria-current', 'true');
    }
  }, { rootMargin: '-10% 0px -80% 0px' });
  for (const id of links.keys()) {
    const section = document.getElementById(id);
    if (section) seen.observe(section);
  }
})();
