/** The template language of proc-title-template: text with `{variable}` in it, and `{{` for an opening brace. */

/**
 * Replaces the variables of a template and trims spaces from both ends. `lookUp` gives null for an unknown variable. The
 * result is null when a variable is unknown or a brace is not closed.
 */
export function expandTitle(template: string, lookUp: (variable: string) => string | null): string | null {
  let title = "";
  let i = 0;
  while (i < template.length) {
    if (template[i] !== "{") {
      title += template[i++];
      continue;
    }
    if (template[i + 1] === "{") {
      title += "{";
      i += 2;
      continue;
    }
    const end = template.indexOf("}", i);
    const value = end < 0 ? null : lookUp(template.slice(i + 1, end));
    if (value === null) return null;
    title += value;
    i = end + 1;
  }
  let start = 0;
  let end = title.length;
  while (start < end && title[start] === " ") start++;
  while (start < end && title[end - 1] === " ") end--;
  return title.slice(start, end);
}

/** The variables, with a stand-in for those that are never empty: a template of possibly empty ones alone is refused. */
const STAND_INS: Readonly<Record<string, string>> = {
  title: "",
  "server-mode": "",
  unixsocket: "",
  "listen-addr": "-",
  "config-file": "-",
  port: "-",
  "tls-port": "-",
};

/** Message when a template cannot be used, else null. */
export function checkTitleTemplate(template: string): string | null {
  const title = expandTitle(template, (variable) => (Object.hasOwn(STAND_INS, variable) ? STAND_INS[variable] : null));
  return title === null || title === "" ? "template format is invalid or contains unknown variables" : null;
}
