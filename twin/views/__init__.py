"""Results of the twin turned into frozen dataclasses that a page can draw without thinking.

Every sentence, age, unit and interval on a screen is made here from numbers, so that plain asserts can test it.
Knows no Streamlit, no store and no clock (`now` is an argument).
"""
