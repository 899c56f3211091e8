"""A canonical schema compiled into makers: one small class for each kind of schema.

``make`` gives a value that fits, as far as the maker can see; where it cannot (``not``, a ``oneOf``
whose branches overlap) it tries again by itself. ``height`` says how many levels of nesting a value
has at the least: by it a recursive schema finds its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor, inf, lcm
from typing import Any, Protocol

import jsonschema_rs
from jsonschema_rs import CanonicalSchema, canonical

from mockexec.mocking.hints import Hints
from mockexec.mocking.patterns import Pattern
from mockexec.mocking.words import FORMATS, words
from mockexec.simulation.chance import Random

TRIES_MAX = 20
ITEMS_MAX = 1_000
LENGTH_MAX = 100_000
_LARGEST = 2**63 - 1
_OPTIONAL_DEPTH_MAX = 64


class NoValue(Exception):  # noqa: N818  # it names what happened
    """Nothing that fits could be made."""


class Draw:
    """The making of one value: where chance comes from, and how large the value may become.

    ``named`` gives a text such as a property of a certain name has, or None.
    """

    __slots__ = ("_named", "examples", "levels", "random", "values_left")

    def __init__(
        self,
        random: Random,
        named: Callable[[str, Random], str | None],
        *,
        levels: int,
        values_left: int,
        examples: bool,
    ) -> None:
        self.random = random
        self.levels = levels
        self.values_left = values_left
        self.examples = examples
        self._named = named

    @property
    def is_generous(self) -> bool:
        """Whether optional parts may still be filled in."""
        return self.levels > 0 and self.values_left > 0

    def text_by_name(self, name: str) -> str | None:
        """A text such as a property of this name has, or None."""
        return self._named(name, self.random)


class Maker(Protocol):
    """Makes values of one kind."""

    def make(self, draw: Draw, name: str, hints: Hints | None) -> Any:
        """A value. Raises NoValue."""

    def height(self, heights: Mapping[str, float]) -> float:
        """The least nesting of a value, given that of the referenced schemas; inf for no value."""


class Compiler:
    """The makers of a document's schemas. What several schemas refer to is compiled once."""

    def __init__(self) -> None:
        self._targets: dict[str, Maker] = {}
        self.heights: dict[str, float] = {}

    def compile(self, schema: CanonicalSchema) -> Maker:
        """The maker of a schema."""
        known = {*self._targets}
        maker = self._compile(schema, schema)
        self._measure([uri for uri in self._targets if uri not in known])
        return maker

    def target(self, uri: str) -> Maker:
        """The maker of a referenced schema."""
        return self._targets[uri]

    def _measure(self, uris: list[str]) -> None:
        self.heights |= dict.fromkeys(uris, inf)
        changed = True
        while changed:
            changed = False
            for uri in uris:
                height = self._targets[uri].height(self.heights)
                if height < self.heights[uri]:
                    self.heights[uri] = height
                    changed = True

    def _compile(self, schema: CanonicalSchema, root: CanonicalSchema) -> Maker:  # noqa: PLR0912  # one case a kind
        view = schema.view()
        match view:
            case canonical.ReferenceView(uri=uri):
                return self._reference(uri, root)
            case canonical.ConstView(value=value):
                return _Choice([value])
            case canonical.EnumView(values=values):
                return _Choice(values)
            case canonical.MultiTypeView(types=types):
                return _AnyOf(self, [_simple(name) for name in types])
            case canonical.TypedGroupView(body=body):
                return self._compile(body, root)
            case canonical.StringView():
                return _Text(view)
            case canonical.IntegerView():
                return _Integer(view)
            case canonical.NumberView():
                return _Number(view)
            case canonical.ArrayView():
                return self._list(view, root)
            case canonical.ObjectView():
                return self._object(view, root)
            case canonical.AnyOfView(branches=branches):
                return _AnyOf(self, [self._compile(branch, root) for branch in branches])
            case canonical.OneOfView(branches=branches):
                inner: Maker = _AnyOf(self, [self._compile(branch, root) for branch in branches])
                return _Checked(inner, schema)
            case canonical.AllOfView(branches=branches):
                return _Checked(
                    _AllOf([self._compile(branch, root) for branch in branches]), schema
                )
            case canonical.FalseView():
                return _Nothing()
            case canonical.TrueView():
                return _Anything()
            case _:
                return _Checked(_Anything(), schema)

    def _reference(self, uri: str, root: CanonicalSchema) -> Maker:
        if uri not in self._targets:
            target = root.definition(uri)
            # A place is held first, since the target may refer to itself.
            self._targets[uri] = _Nothing()
            if target is not None:
                self._targets[uri] = self._compile(target, root)
        return _Reference(self, uri)

    def _list(self, view: canonical.ArrayView, root: CanonicalSchema) -> Maker:
        return _List(
            view,
            first=[self._compile(item, root) for item in view.prefix_items],
            rest=_Anything() if view.items is None else self._compile(view.items, root),
            contained=[
                (
                    self._compile(part.schema, root),
                    1 if part.min_contains is None else part.min_contains,
                )
                for part in view.contains
            ],
        )

    def _object(self, view: canonical.ObjectView, root: CanonicalSchema) -> Maker:
        additional = view.additional_properties
        return _Object(
            view,
            properties={name: self._compile(item, root) for name, item in view.properties.items()},
            patterns={
                pattern: self._compile(item, root)
                for pattern, item in view.pattern_properties.items()
            },
            additional=None if additional is None else self._compile(additional, root),
            names=None if view.property_names is None else self._compile(view.property_names, root),
        )


class _Reference:
    """Whatever another schema says."""

    def __init__(self, compiler: Compiler, uri: str) -> None:
        self._compiler = compiler
        self._uri = uri

    def make(self, draw: Draw, name: str, hints: Hints | None) -> Any:
        return self._compiler.target(self._uri).make(draw, name, hints)

    def height(self, heights: Mapping[str, float]) -> float:
        return heights[self._uri]


class _Nothing:
    """No value at all."""

    def make(self, draw: Draw, name: str, hints: Hints | None) -> Any:
        del draw, name, hints
        raise NoValue("the schema admits no value")

    def height(self, heights: Mapping[str, float]) -> float:
        del heights
        return inf


class _Simple:
    """A value without parts, made by a function."""

    def __init__(self, function: Callable[[Draw, str], Any]) -> None:
        self._function = function

    def make(self, draw: Draw, name: str, hints: Hints | None) -> Any:
        example = _example(draw, hints)
        return self._function(draw, name) if example is None else example

    def height(self, heights: Mapping[str, float]) -> float:
        del heights
        return 0


def _simple(type_name: str) -> Maker:
    """The maker of a type that nothing more is known of."""
    return _Simple(_BY_TYPE[type_name])


def _any_text(draw: Draw, name: str) -> str:
    return draw.text_by_name(name) or words(draw.random)


def _any_number(draw: Draw, _name: str) -> float:
    return draw.random.randint(1, 100_000) / 100


_BY_TYPE: dict[str, Callable[[Draw, str], Any]] = {
    "null": lambda _draw, _name: None,
    "boolean": lambda draw, _name: draw.random.random() < 0.5,
    "integer": lambda draw, _name: draw.random.randint(1, 1000),
    "number": _any_number,
    "string": _any_text,
    "array": lambda _draw, _name: [],
    "object": lambda _draw, _name: {},
}


class _Anything:
    """Any value: a text, or now and then something else, for schemas that exclude texts."""

    def make(self, draw: Draw, name: str, hints: Hints | None) -> Any:
        example = _example(draw, hints)
        if example is not None:
            return example
        kinds = ("string", "string", "string", "integer", "boolean", "object")
        return _BY_TYPE[draw.random.choice(kinds)](draw, name)

    def height(self, heights: Mapping[str, float]) -> float:
        del heights
        return 0


class _Choice:
    """One of the values that a schema lists."""

    def __init__(self, values: list[Any]) -> None:
        self._values = [value for value in values if value is not None] or [None]
        self._with_null = values

    def make(self, draw: Draw, name: str, hints: Hints | None) -> Any:
        del name
        example = _example(draw, hints)
        if example is not None and example in self._values:
            return example
        values = self._values if draw.is_generous else self._with_null
        return _plain(draw.random.choice(values))

    def height(self, heights: Mapping[str, float]) -> float:
        del heights
        return 0


class _AnyOf:
    """What one of several makers gives; null is the choice of last resort."""

    def __init__(self, compiler: Compiler, branches: list[Maker]) -> None:
        self._compiler = compiler
        self._branches = branches

    def make(self, draw: Draw, name: str, hints: Hints | None) -> Any:
        example = _example(draw, hints)
        if example is not None:
            return example
        heights = self._compiler.heights
        possible = [branch for branch in self._branches if branch.height(heights) < inf]
        if not possible:
            raise NoValue("none of the branches admits a value")
        if not draw.is_generous:
            lowest = min(branch.height(heights) for branch in possible)
            possible = [branch for branch in possible if branch.height(heights) == lowest]
        for _ in range(TRIES_MAX):
            value = draw.random.choice(possible).make(draw, name, hints)
            if value is not None or not draw.is_generous or draw.random.random() < 0.05:
                return value
        return None

    def height(self, heights: Mapping[str, float]) -> float:
        return min((branch.height(heights) for branch in self._branches), default=inf)


class _AllOf:
    """What all of several makers give, objects merged. Whether it fits is for others to see."""

    def __init__(self, branches: list[Maker]) -> None:
        self._branches = branches

    def make(self, draw: Draw, name: str, hints: Hints | None) -> Any:
        values = [branch.make(draw, name, hints) for branch in self._branches]
        if not all(isinstance(value, dict) for value in values):
            return draw.random.choice(values)
        merged: dict[str, Any] = {}
        for value in values:
            merged |= value
        return merged

    def height(self, heights: Mapping[str, float]) -> float:
        return max((branch.height(heights) for branch in self._branches), default=0)


class _Checked:
    """A maker whose values may not fit, and are looked at."""

    def __init__(self, inner: Maker, schema: CanonicalSchema) -> None:
        self._inner = inner
        self._schema = schema
        self._fits: Callable[[Any], bool] | None = None

    def make(self, draw: Draw, name: str, hints: Hints | None) -> Any:
        if self._fits is None:
            written: Any = self._schema.to_json_schema()
            self._fits = jsonschema_rs.Draft202012Validator(
                written, validate_formats=True, offline=True
            ).is_valid
        for _ in range(TRIES_MAX):
            value = self._inner.make(draw, name, hints)
            if self._fits(value):
                return value
        raise NoValue("nothing was made that fits")

    def height(self, heights: Mapping[str, float]) -> float:
        return self._inner.height(heights)


class _Text:
    """A text within a window of length, of a format, or that matches patterns."""

    def __init__(self, view: canonical.StringView) -> None:
        self._least = view.min_length or 0
        self._most = LENGTH_MAX if view.max_length is None else view.max_length
        self._formats = [FORMATS[name] for name in view.formats if name in FORMATS]
        read = [_pattern(pattern) for pattern in view.patterns]
        self._patterns = [pattern for pattern in read if pattern is not None]
        # One that is bound to the start comes first: a text for several is theirs in a row.
        self._patterns.sort(key=lambda pattern: (pattern.open_start, pattern.open_end))
        self._is_base64 = "base64" in view.content_encodings
        self._is_json = "application/json" in view.content_media_types
        # Not the view itself: that would keep the whole canonical document.
        self._schema = {
            "minLength": self._least,
            "maxLength": self._most,
            "allOf": [
                True,  # a list of none is not allowed
                *({"pattern": pattern} for pattern in view.patterns),
                *({"not": {"pattern": pattern}} for pattern in view.excluded_patterns),
                *({"format": name} for name in view.formats),
                *({"not": {"format": name}} for name in view.excluded_formats),
            ],
            "not": {"enum": view.excluded},
        }
        self._check: Callable[[Any], bool] | None = None

    def _fits(self, text: str) -> bool:
        if self._check is None:
            self._check = jsonschema_rs.Draft202012Validator(
                self._schema, validate_formats=True
            ).is_valid
        return self._check(text)

    def make(self, draw: Draw, name: str, hints: Hints | None) -> Any:
        example = _example(draw, hints)
        if example is not None:
            return example
        if self._least > LENGTH_MAX:
            raise NoValue(f"a text of {self._least} characters is not made")
        for attempt in range(TRIES_MAX):
            for text in self._candidates(draw, name, attempt):
                if self._fits(text):
                    return text
        raise NoValue("no text was found that fits")

    def _candidates(self, draw: Draw, name: str, attempt: int) -> Iterable[str]:
        random = draw.random
        if self._patterns:
            texts = [pattern.text(random, length_min=self._least) for pattern in self._patterns]
            yield from texts
            yield "".join(texts)
        if self._formats:
            yield random.choice(self._formats)(random)
        elif self._is_base64:
            yield FORMATS["base64"](random)
        elif self._is_json:
            yield "{}"
        named = draw.text_by_name(name) if attempt < 2 else None
        if named is not None:
            yield named
        yield words(random, self._least)[: self._most]

    def height(self, heights: Mapping[str, float]) -> float:
        del heights
        return 0


def _pattern(pattern: str) -> Pattern | None:
    try:
        return Pattern(pattern)
    except ValueError:
        # Texts for it come from elsewhere, if at all; the check tells.
        return None


class _Integer:
    """An integer within bounds that divides as it should."""

    def __init__(self, view: canonical.IntegerView) -> None:
        self._low, self._high = view.minimum, view.maximum
        self._step = _common_multiple([Fraction(1), *map(_exact, view.multiple_of)])
        self._not_steps = [_exact(step) for step in view.not_multiple_of]

    def make(self, draw: Draw, name: str, hints: Hints | None) -> Any:
        del name
        example = _example(draw, hints)
        if example is not None:
            return example
        low, high = _window(self._low, self._high, 1000 * int(self._step))
        first, last = ceil(low / self._step), floor(high / self._step)
        for _ in range(TRIES_MAX if first <= last else 0):
            value = draw.random.randint(first, last) * self._step
            if abs(value) <= _LARGEST and _divides_none(value, self._not_steps):
                return int(value)
        raise NoValue("no integer was found that fits")

    def height(self, heights: Mapping[str, float]) -> float:
        del heights
        return 0


class _Number:
    """A number within bounds that divides as it should."""

    def __init__(self, view: canonical.NumberView) -> None:
        self._low, self._high = view.minimum, view.maximum
        self._excludes = (view.exclusive_minimum, view.exclusive_maximum)
        self._step = _common_multiple(map(_exact, view.multiple_of))
        self._not_steps = [_exact(step) for step in view.not_multiple_of]
        if view.excludes_integers:
            self._not_steps.append(Fraction(1))

    def make(self, draw: Draw, name: str, hints: Hints | None) -> Any:
        del name
        example = _example(draw, hints)
        if example is not None:
            return example
        low, high = _window(self._low, self._high, 1000)
        step = self._step or _fine_step(low, high)
        first, last = ceil(low / step), floor(high / step)
        if self._excludes[0] and first * step == low:
            first += 1
        if self._excludes[1] and last * step == high:
            last -= 1
        for _ in range(TRIES_MAX if first <= last else 0):
            value = draw.random.randint(first, last) * step
            if _divides_none(value, self._not_steps):
                return int(value) if value.denominator == 1 else float(value)
        raise NoValue("no number was found that fits")

    def height(self, heights: Mapping[str, float]) -> float:
        del heights
        return 0


def _window(low: Any, high: Any, width: int) -> tuple[Fraction, Fraction]:
    """Bounds with both sides set: ``width`` apart where one is open, from 1 where both are."""
    if low is None and high is None:
        return Fraction(1), Fraction(width)
    if low is None:
        top = _exact(high)
        return (Fraction(0) if 0 < top <= width else top - width), top
    bottom = _exact(low)
    if high is None:
        return bottom, bottom + width
    # Small numbers are easier to read than the middle of 64 bits.
    readable_low = max(bottom, min(Fraction(0), _exact(high) - width))
    return readable_low, min(_exact(high), readable_low + width)


def _fine_step(low: Fraction, high: Fraction) -> Fraction:
    """Hundredths, or finer where the window is narrow."""
    step = Fraction(1, 100)
    while high > low and (high - low) / step < 10:
        step /= 10
    return step


def _exact(number: float | Decimal) -> Fraction:
    # By its decimal digits: 0.1 is meant as a tenth.
    return Fraction(str(number))


def _common_multiple(steps: Iterable[Fraction]) -> Fraction:
    """The least common multiple; 0 where there are none."""
    common = Fraction(0)
    for step in steps:
        if not common:
            common = step
            continue
        bottom = lcm(common.denominator, step.denominator)
        common = Fraction(lcm(int(common * bottom), int(step * bottom)), bottom)
    return common


def _divides_none(value: Fraction, steps: list[Fraction]) -> bool:
    return all((value / step).denominator != 1 for step in steps)


class _List:
    """A list: its first elements one by one, then more of the same."""

    def __init__(
        self,
        view: canonical.ArrayView,
        *,
        first: list[Maker],
        rest: Maker,
        contained: list[tuple[Maker, int]],
    ) -> None:
        self._least = view.min_items or 0
        self._most = ITEMS_MAX if view.max_items is None else view.max_items
        self._distinctness = view.distinctness
        self._first = first
        self._rest = rest
        self._contained = contained

    def make(self, draw: Draw, name: str, hints: Hints | None) -> Any:
        example = _example(draw, hints)
        if example is not None:
            return example
        if self._least > ITEMS_MAX:
            raise NoValue(f"a list of {self._least} elements is not made")
        wanted = self._wanted(draw)
        with_examples = draw.examples
        draw.levels -= 1
        try:
            made = self._elements(draw, name, hints.items if hints else None, wanted)
        finally:
            draw.levels += 1
            draw.examples = with_examples
        if self._distinctness == canonical.Distinctness.SOME_REPEATED and made:
            made.append(made[0])
        return made

    def _wanted(self, draw: Draw) -> int:
        """How many elements: all those with a schema of their own, else one to three."""
        if not draw.is_generous:
            return self._least
        most = max(len(self._first), draw.random.randint(1, 3))
        return max(self._least, min(self._most, most))

    def _elements(self, draw: Draw, name: str, hints: Hints | None, wanted: int) -> list[Any]:
        made: list[Any] = []
        parts = [maker for maker, count in self._contained for _ in range(count)]
        for position in range(max(wanted, len(self._first) + len(parts) if parts else 0)):
            if position < len(self._first):
                maker, part_hints = self._first[position], None
            elif parts:
                maker, part_hints = parts.pop(), None
            else:
                maker, part_hints = self._rest, hints
            try:
                made.append(self._another(draw, _singular(name), part_hints, maker, made))
            except NoValue:
                if len(made) >= self._least:
                    break
                raise
            # A list whose elements are all the one example is not worth reading.
            draw.examples = False
        return made

    def _another(
        self, draw: Draw, name: str, hints: Hints | None, maker: Maker, made: list[Any]
    ) -> Any:
        draw.values_left -= 1
        value = maker.make(draw, name, hints)
        if self._distinctness != canonical.Distinctness.ALL_DISTINCT:
            return value
        for _ in range(TRIES_MAX):
            if value not in made:
                return value
            value = maker.make(draw, name, hints)
        raise NoValue("no further distinct element was found")

    def height(self, heights: Mapping[str, float]) -> float:
        needed = [*self._first, self._rest][: self._least]
        if self._least > len(self._first):
            needed.append(self._rest)
        needed += [maker for maker, count in self._contained if count]
        return 1 + max((maker.height(heights) for maker in needed), default=0)


def _singular(name: str) -> str:
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else name


class _Object:
    """An object: what is required, then what is optional while there is room."""

    def __init__(
        self,
        view: canonical.ObjectView,
        *,
        properties: dict[str, Maker],
        patterns: dict[str, Maker],
        additional: Maker | None,
        names: Maker | None,
    ) -> None:
        self._least = view.min_properties or 0
        self._most = ITEMS_MAX if view.max_properties is None else view.max_properties
        self._required = view.required
        self._properties = properties
        self._patterns = [(_pattern(pattern), item) for pattern, item in patterns.items()]
        self._pattern_fits = [
            (jsonschema_rs.Draft202012Validator({"pattern": pattern}).is_valid, item)
            for pattern, item in patterns.items()
        ]
        self._additional = additional
        self._names = names
        # A bare object is left empty; one that says what its further values are has some.
        self._is_map = not properties and (additional is not None or bool(patterns))

    def make(self, draw: Draw, name: str, hints: Hints | None) -> Any:
        example = _example(draw, hints)
        if example is not None:
            return example
        made: dict[str, Any] = {}
        draw.levels -= 1
        if draw.levels < -_OPTIONAL_DEPTH_MAX:
            raise NoValue("the value is nested too deeply")
        try:
            for key in self._required:
                draw.values_left -= 1
                maker = self._maker(key)
                made[key] = maker.make(draw, _told(key, name), _below(hints, key))
            self._fill(made, draw, name, hints)
            self._extend(made, draw, hints)
        finally:
            draw.levels += 1
        return _ordered(made, hints)

    def _maker(self, key: str) -> Maker:
        """The maker of the property ``key``, wherever the schema describes it."""
        if key in self._properties:
            return self._properties[key]
        for fits, maker in self._pattern_fits:
            if fits(key):
                return maker
        return self._additional or _Anything()

    def _fill(self, made: dict[str, Any], draw: Draw, name: str, hints: Hints | None) -> None:
        for key, maker in self._properties.items():
            if key in made or len(made) >= self._most:
                continue
            if not draw.is_generous and len(made) >= self._least:
                break
            draw.values_left -= 1
            try:
                made[key] = maker.make(draw, _told(key, name), _below(hints, key))
            except NoValue:
                # It is optional; some schemas are written ``false`` on purpose.
                continue

    def _extend(self, made: dict[str, Any], draw: Draw, hints: Hints | None) -> None:
        """Properties without a name of their own, where there must or may well be some."""
        wanted = self._least
        if self._is_map and draw.is_generous:
            wanted = max(wanted, min(self._most, len(made) + 2))
        if wanted > ITEMS_MAX:
            raise NoValue(f"an object of {wanted} properties is not made")
        for _ in range(TRIES_MAX * wanted):
            if len(made) >= wanted:
                return
            key = self._new_name(draw)
            if key in made or (self._names is None and not self._patterns and not key):
                continue
            draw.values_left -= 1
            made[key] = self._maker(key).make(draw, key, _below(hints, key))
        if len(made) < self._least:
            raise NoValue("not enough names were found for the properties")

    def _new_name(self, draw: Draw) -> str:
        patterns = [pattern for pattern, _ in self._patterns if pattern is not None]
        if self._names is not None:
            return str(self._names.make(draw, "", None))
        if patterns:
            return draw.random.choice(patterns).text(draw.random)
        return words(draw.random)

    def height(self, heights: Mapping[str, float]) -> float:
        return 1 + max((self._maker(key).height(heights) for key in self._required), default=0)


def _told(key: str, parent: str) -> str:
    """What a property is called in words: a bare ``name`` is that of the thing it belongs to."""
    return f"{parent}_{key}" if parent and key == "name" else key


def _below(hints: Hints | None, key: str) -> Hints | None:
    return hints.below(key) if hints else None


def _ordered(made: dict[str, Any], hints: Hints | None) -> dict[str, Any]:
    """The properties in the document's order."""
    order = hints.order if hints else {}
    return dict(sorted(made.items(), key=lambda item: order.get(item[0], len(order))))


def _example(draw: Draw, hints: Hints | None) -> Any:
    """An example of the document's own for this value, or None."""
    if not draw.examples or hints is None or not hints.examples:
        return None
    return hints.examples[0]


def _plain(value: Any) -> Any:
    """A value of a schema as JSON has it: the canonical form keeps some numbers as Decimal."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
