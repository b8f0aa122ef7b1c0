"""What `python -m twin` can do: one module per command, each with `main(argv) -> exit code`.

Set-up, tools and data run on a bare Python, so those modules import nothing but the standard library and
`twin.errors`; the others run inside the environment `environment.py` has made.
"""
