"""Drawing: theme, marks, components, charts, the page guard. With `pages/` the only code that knows Streamlit."""
