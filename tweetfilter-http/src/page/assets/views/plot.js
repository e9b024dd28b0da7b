// A small plot: a line over time, broken where nothing was noted. Its label says the same to those who don't see it.

const SVG = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT] = [240, 48];

/** Draws values, null where there is none, from 0 to `most`. */
export function plot({ points, most, label }) {
  const drawing = element('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' });
  drawing.setAttribute('aria-label', label);
  const [line, ground] = paths(points, most);
  drawing.append(element('path', { class: 'plot-ground', d: ground }), element('path', { class: 'plot-line', d: line }));
  return drawing;
}

function paths(points, most) {
  const x = (at) => ((at / Math.max(1, points.length - 1)) * WIDTH).toFixed(1);
  const y = (value) => (HEIGHT - 2 - (Math.max(0, value) / most) * (HEIGHT - 4)).toFixed(1);
  let [line, ground, from] = ['', '', null];
  points.forEach((value, at) => {
    if (value !== null) {
      line += `${from === null ? 'M' : 'L'}${x(at)} ${y(value)}`;
      ground += from === null ? `M${x(at)} ${HEIGHT}L${x(at)} ${y(value)}` : `L${x(at)} ${y(value)}`;
      from ??= at;
    }
    if (from !== null && (value === null || at === points.length - 1)) {
      const to = value === null ? at - 1 : at;
      // One value alone is a point.
      if (to === from) line += 'h0.1';
      ground += `L${x(to)} ${HEIGHT}Z`;
      from = null;
    }
  });
  return [line, ground];
}

function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
