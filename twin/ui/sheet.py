"""Prepared HTML that is swapped in place and whose links open pages without a reload.

`sheet(html, key)` draws markup made by `twin.ui.markup` (so: escaped) and answers clicks, Enter included, on links
that carry `data-open`. Only changed markup touches the page; focus and opened details survive a swap. Modified clicks
(new tab) stay the browser's.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import streamlit as st

_JS = """
export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  let root = parentElement.querySelector(":scope > .sh");
  if (!root) {
    root = document.createElement("div");
    root.className = "sh";
    parentElement.appendChild(root);
    root.addEventListener("click", (event) => {
      const link = event.target.closest("[data-open]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      root.fire("open", link.getAttribute("data-open"));
    });
  }
  root.fire = setTriggerValue;
  if (root.shown === data.html) return;
  root.shown = data.html;
  const focused = root.contains(document.activeElement) && document.activeElement.getAttribute("data-open");
  const opened = Array.from(root.querySelectorAll("details[open]")).map((d) => d.id);
  root.innerHTML = data.html;
  opened.forEach((id) => { const d = id && root.querySelector("#" + CSS.escape(id)); if (d) d.open = true; });
  if (focused) {
    const again = root.querySelector('[data-open="' + CSS.escape(focused) + '"]');
    if (again) again.focus({ preventScroll: true });
  }
}
"""


def sheet(html: str, key: str) -> None:
    """Draw `html`; a click on one of its links switches the page."""
    mount = st.components.v2.component("twin_sheet", js=_JS, isolate_styles=False)
    result = mount(data={"html": html}, key=key, on_open_change=_nothing)
    if result.open:
        follow(result.open)


def follow(target: str) -> None:
    """Go to "page?name=value"."""
    parts = urlsplit(target)
    st.switch_page(f"pages/{parts.path}.py", query_params=dict(parse_qsl(parts.query)))


def _nothing() -> None:
    """A trigger needs a callback; the return value is read instead."""
