"""The words of the project as plain frozen dataclasses: what is sent, stored, decided and shown.

No behaviour beyond parsing, checking and converting; imports nothing of the project but `errors`.
"""
