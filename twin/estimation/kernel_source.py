"""Writes the compiled backend's kernels: straight-line Python for one pattern of Jacobians, without loops over states.

Promise: the same arithmetic as `algebra`, for one device per pass of the inner loop. A kernel works on tiles of 64
devices copied into one small buffer: inside one buffer with constant offsets the compiler can prove that nothing
overlaps, and vectorises. Indices are unsigned, because numba's support for negative ones turns every access into a
gather (measured: 25 against 50 million device-steps a second).
"""

from __future__ import annotations

from collections.abc import Callable

TILE = 64
Pattern = tuple[str, ...]  # row by row: "0" | "1" | "c" a constant | "a" an array over the devices


class Writer:
    """Writes one kernel. Inside it p10 is P[1, 0], and each row of the tile's buffer belongs to one name."""

    def __init__(self, dx: int, dz: int) -> None:
        self.dx, self.dz = dx, dz
        self.pairs = [(i, j) for i in range(dx) for j in range(i + 1)]
        self.rows: dict[str, int] = {}
        self.arguments: list[str] = []
        self.loads: list[str] = []
        self.body: list[str] = []
        self.stores: list[str] = []
        self.once: list[str] = []
        self.constants = 0
        self.entries = 0

    def write(self, F: Pattern | None, Q: Pattern | None, H: Pattern | None) -> str:
        moved = self.take_matrix(F, self.dx), self.take_matrix(Q, self.dx)
        seen = self.take_matrix(H, self.dx)
        self.arguments.append("P")
        for row, (i, j) in enumerate(self.pairs):
            self.load(f"p{i}{j}", f"P[{row}, at + i]")
        if F is not None:
            self.predict(*moved)
        if H is not None:
            self.correct(seen)
        else:
            self.arguments.append("new_P")
        for row, (i, j) in enumerate(self.pairs):
            self.store(f"p{i}{j}", f"new_P[{row}, at + i] = {{}}")
        loops = [f"        for i in range(m):\n            {line}" for line in self.loads]
        ends = [f"        for i in range(m):\n            {line}" for line in self.stores]
        return "\n".join(
            [
                f"def kernel(first, n, constants, {', '.join(self.arguments)}):",
                *(f"    {line}" for line in self.once),
                f"    w = np.zeros({max(len(self.rows), 1) * TILE})",
                f"    for begin in range(0, n, {TILE}):",
                f"        m, b, at = np.uint64(min({TILE}, n - begin)), np.uint64(begin), np.uint64(first + begin)",
                *loops,
                "        for i in range(m):",
                *(f"            {line}" for line in self.body),
                *ends,
                "",
            ]
        )

    def row(self, name: str) -> str:
        return f"w[_{self.rows.setdefault(name, len(self.rows))} + i]"

    def load(self, name: str, source: str) -> None:
        self.loads.append(f"{self.row(name)} = {source}")
        self.body.append(f"{name} = {self.row(name)}")

    def store(self, name: str, target: str) -> None:
        place = self.row(f"out {name}")
        self.body.append(f"{place} = {name}")
        self.stores.append(target.format(place))

    def take_matrix(self, pattern: Pattern | None, columns: int) -> list[dict[int, str]]:
        """Per row of the matrix its non-zero columns with the text of their factor ("" for 1)."""
        result: list[dict[int, str]] = []
        for place, kind in enumerate(pattern or ()):
            if place % columns == 0:
                result.append({})
            if kind == "1":
                result[-1][place % columns] = ""
            elif kind == "c":
                result[-1][place % columns] = f"q{self.constants}"
                self.once.append(f"q{self.constants} = constants[{self.constants}]")
                self.constants += 1
            elif kind == "a":
                name = f"e{self.entries}"
                self.entries += 1
                self.arguments.append(name)
                self.load(f"{name}_", f"{name}[b + i]")
                result[-1][place % columns] = f"{name}_"
        return result

    def p(self, i: int, j: int) -> str:
        return f"p{max(i, j)}{min(i, j)}"

    def total(self, factors: dict[int, str], value: Callable[[int], str]) -> str:
        terms = [f"{factor} * {value(k)}" if factor else value(k) for k, factor in factors.items()]
        return " + ".join(terms) if terms else "0.0"

    def predict(self, F: list[dict[int, str]], Q: list[dict[int, str]]) -> None:
        say = self.body.append
        for i in range(self.dx):
            for j in range(self.dx):
                say(f"f{i}_{j} = {self.total(F[i], lambda k, j=j: self.p(k, j))}")  # type: ignore[misc]
        for i, j in self.pairs:
            noise = f" + {Q[i][j] or '1.0'}" if j in Q[i] else ""
            say(f"p{i}{j} = {self.total(F[j], lambda k, i=i: f'f{i}_{k}')}{noise}")  # type: ignore[misc]

    def correct(self, H: list[dict[int, str]]) -> None:
        say, states = self.body.append, range(self.dx)
        self.arguments += ["x", "noise", "z", "observed", "expected", "gate"]
        self.arguments += [
            "new_P",
            "new_x",
            "shown",
            "nu",
            "S",
            "ratio",
            "white",
            "nis",
            "seen",
            "accepted",
            "bad",
        ]
        for k in range(self.dz):
            self.load(f"t{k}", f"1.0 if observed[{k}, at + i] & (abs(z[{k}, at + i]) < np.inf) else 0.0")
            value = f"z[{k}, at + i] - expected[{k}, b + i]"
            self.load(f"u{k}", f"{value} if {self.row(f't{k}')} > 0.0 else 0.0")
            self.stores.append(f"shown[{k}, at + i] = expected[{k}, b + i]")
            self.once.append(f"n{k} = noise[{k}]")
        self.load("limit", "gate[at + i]")
        for k in states:
            self.load(f"x{k}", f"x[{k}, b + i]")
            say(f"d{k} = 0.0")
        for k, h in enumerate(H):
            outer = [f"({self.total(h, lambda b, a=a: self.p(a, b))})" for a in h]  # type: ignore[misc]
            say(f"S{k} = n{k} + " + self.total(h, dict(zip(h, outer, strict=True)).__getitem__))
            say(f"r{k} = u{k} * u{k} / S{k}")
            say(f"c{k} = t{k} if r{k} <= limit else 0.0")
        say("nis_, seen_ = 0.0, 0.0")
        for k, h in enumerate(H):
            self.fold(k, h)
        say(
            f"sum_ = {' + '.join(f'(x{k} + d{k})' for k in states)} + {' + '.join(self.p(*q) for q in self.pairs)}"
        )
        say(
            f"bad_ = 0.0 if (sum_ - sum_ == 0.0) & {' & '.join(f'({self.p(k, k)} > 0.0)' for k in states)} else 1.0"
        )
        for k in states:
            say(f"y{k} = x{k} + d{k}")
            self.store(f"y{k}", f"new_x[{k}, at + i] = {{}}")
        for k in range(self.dz):
            for name, target in (("u", "nu"), ("S", "S"), ("r", "ratio"), ("w", "white")):
                self.store(f"{name}{k}", f"{target}[{k}, at + i] = {{}}")
            self.store(f"c{k}", f"accepted[{k}, at + i] = {{}} > 0.5")
        self.store("nis_", "nis[at + i] = {}")
        self.store("seen_", "seen[at + i] = np.int64({})")
        self.store("bad_", "bad[at + i] = {} > 0.5")

    def fold(self, k: int, h: dict[int, str]) -> None:
        """One sensor: the Joseph form of `algebra.fold_into`."""
        say, states = self.body.append, range(self.dx)
        for i in states:
            say(f"a{i} = {self.total(h, lambda j, i=i: self.p(i, j))}")  # type: ignore[misc]
        say(f"own = {self.total(h, lambda j: f'a{j}')}")
        say(f"inverse = 1.0 / np.sqrt(n{k} + own)")
        say(f"use = c{k} * inverse")
        say(f"left = u{k} - ({self.total(h, lambda j: f'd{j}')})")
        say(f"w{k} = left * inverse * t{k}")
        say(f"nis_ += w{k} * w{k}")
        say(f"seen_ += t{k}")
        for i in states:
            say(f"v{i} = a{i} * use")
            say(f"k{i} = v{i} * use")
            say(f"d{i} += k{i} * left")
        if len(h) == 1:
            seen = next(iter(h))
            say(f"rest = (n{k} + own * (1.0 - c{k})) / (n{k} + own)")
            for i, j in self.pairs:
                say(f"{self.p(i, j)} " + ("*= rest" if seen in (i, j) else f"-= v{i} * v{j}"))
            return
        for i, j in self.pairs:
            say(f"{self.p(i, j)} -= v{i} * v{j}")
        for i in states:
            say(f"g{i} = 0.5 * (n{k} * k{i} - ({self.total(h, lambda j, i=i: self.p(i, j))}))")  # type: ignore[misc]
        for i, j in self.pairs:
            say(f"{self.p(i, j)} += g{i} * k{j} + g{j} * k{i}")
