// Lists of trials or targets as people type them: "1-20, 45".

/** The numbers that a text lists; throws a RangeError that says what is wrong. */
export function parseIds(text) {
  const ids = new Set();
  for (const part of text.split(/[\s,;]+(?![-–]|to\b)/).filter(Boolean)) {
    const found = /^(\d{1,9})(?:\s*[-–]\s*(\d{1,9}))?$/.exec(part);
    const [first, last] = found ? [Number(found[1]), Number(found[2] ?? found[1])] : [1, 0];
    if (last < first) throw new RangeError(`“${part}” is no number and no range. Write them as in 1-20, 45.`);
    if (last - first > 99_999) throw new RangeError(`“${part}” is too long a range.`);
    for (let id = first; id <= last; id++) ids.add(id);
  }
  return [...ids].sort((a, b) => a - b);
}

/** The shortest text that lists ascending numbers. */
export function spellIds(ids) {
  const parts = [];
  for (let i = 0; i < ids.length; ) {
    let j = i;
    while (ids[j + 1] === ids[j] + 1) j += 1;
    parts.push(j > i + 1 ? `${ids[i]}-${ids[j]}` : ids.slice(i, j + 1).join(", "));
    i = j + 1;
  }
  return parts.join(", ");
}
