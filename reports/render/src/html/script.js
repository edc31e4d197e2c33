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
      button.append(...heading.childNodes);
      heading.replaceChildren(button);
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

  /** A chart over time: its picture, where its plot is, its numbers. */
  const timed = figure => {
    const svg = figure.querySelector('.chart.wide svg');
    const plot = svg?.querySelector('g.plot');
    if (!plot) return null;
    const [left, top, right, bottom, from, to] = plot.dataset.plot.split(' ').map(Number);
    const table = figure.querySelector('details table');
    const headings = table ? [...table.tHead.rows[0].cells].map(cell => cell.textContent) : [];
    const isByTime = headings[0] === 'From' && headings[1] === 'To' && headings[2] !== 'Latency from';
    const rows = isByTime
      ? [...table.tBodies[0].rows].map(row => [...row.cells].map(cell => cell.textContent)).map(cells => ({ cells, from: number(cells[0]), to: number(cells[1]) }))
      : [];
    const line = document.createElementNS(svg.namespaceURI, 'line');
    for (const [key, value] of Object.entries({ y1: top, y2: bottom, class: 'cross', visibility: 'hidden' })) line.setAttribute(key, value);
    svg.append(line);
    const readout = make('p', '', { class: 'readout' });
    figure.querySelector('.chart.wide').before(readout);
    return { svg, left, right, from, to, headings, rows, line, readout, box: figure.querySelector('.chart.wide') };
  };
  const charts = [...document.querySelectorAll('figure')].map(timed).filter(Boolean);
  let now = null;
  const show = moment => {
    now = moment;
    for (const chart of charts) {
      const x = chart.left + (moment - chart.from) / (chart.to - chart.from) * (chart.right - chart.left);
      chart.line.setAttribute('x1', x);
      chart.line.setAttribute('x2', x);
      chart.line.setAttribute('visibility', 'visible');
      const row = chart.rows.find(row => row.from <= moment && moment < row.to);
      chart.readout.textContent = row
        ? `${row.cells[0]} to ${row.cells[1]}: ` + chart.headings.slice(2).map((name, index) => `${name} ${row.cells[index + 2]}`).join(' · ')
        : '';
    }
  };
  const hide = () => {
    now = null;
    for (const chart of charts) {
      chart.line.setAttribute('visibility', 'hidden');
      chart.readout.textContent = '';
    }
  };
  for (const chart of charts) {
    chart.box.tabIndex = 0;
    chart.box.setAttribute('role', 'group');
    chart.box.setAttribute('aria-label', 'Chart over time: the arrow keys move a line through all of them, Escape takes it away');
    chart.box.addEventListener('pointermove', event => {
      const area = chart.svg.getBoundingClientRect();
      const x = (event.clientX - area.left) / area.width * chart.svg.viewBox.baseVal.width;
      const share = (x - chart.left) / (chart.right - chart.left);
      if (share < 0 || share > 1) hide(); else show(chart.from + share * (chart.to - chart.from));
    });
    chart.box.addEventListener('pointerleave', hide);
    chart.box.addEventListener('focus', () => chart.readout.setAttribute('aria-live', 'polite'));
    chart.box.addEventListener('blur', () => { chart.readout.removeAttribute('aria-live'); hide(); });
    chart.box.addEventListener('keydown', event => {
      const steps = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.key === 'Escape') hide();
      if (!steps) return;
      event.preventDefault();
      const first = chart.rows[0]?.from ?? chart.from;
      const step = (chart.rows[1]?.from ?? first + 1) - first;
      show(Math.min(Math.max((now ?? first - step / 2) + steps * step, chart.from), chart.to));
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
