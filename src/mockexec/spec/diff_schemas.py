"""What differs between the values that two schemas admit.

A pair of schemas, the old and the new one, is compared keyword by keyword. What is found is a list
of facts, each of which says whether the new schema admits less, more, or both; properties and items
are pairs of their own. Every pair is looked at once, so recursion is harmless.

A sender is taken to send what its own document describes: a property that only the other
document describes is not sent, unless it is required there or the schema is one for maps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from mockexec.spec.dialect import Direction
from mockexec.spec.diff_keywords import Both, Fact, of_keywords, was
from mockexec.spec.diff_views import (
    Alternative,
    Part,
    Parts,
    TooManyAlternativesError,
    Views,
    type_of,
)
from mockexec.spec.messages import either, shown, type_words
from mockexec.spec.operations import SchemaRef
from mockexec.spec.references import DATA, NAME_MAPS
from mockexec.spec.schemas import Schemas

Key = tuple[Parts, Parts]

_SHOWN_VALUES_MAX = 12


@dataclass(slots=True)
class Pair:
    """What was found at two schemas, and the pairs below them, by the step that leads there."""

    facts: list[Fact] = field(default_factory=list)
    below: list[tuple[str, Key]] = field(default_factory=list)


class SchemaDiff:
    """Compares schemas of two documents for values that go in one direction."""

    def __init__(self, old: Schemas, new: Schemas, direction: Direction) -> None:
        self.direction = direction
        self.old = Views(old, direction)
        self.new = Views(new, direction)
        self.pairs: dict[Key, Pair] = {}
        self._same: dict[tuple[Part, Part], bool] = {}

    def add(self, old: SchemaRef | None, new: SchemaRef | None) -> Key:
        """Compares two schemas and all below them; returns the key of their pair."""
        first = (self.old.parts(old), self.new.parts(new))
        queue = deque([first])
        while queue:
            key = queue.popleft()
            if key not in self.pairs:
                pair = self.pairs[key] = Pair()
                self._compare(key, pair)
                queue.extend(below for _, below in pair.below)
        return first

    def _compare(self, key: Key, pair: Pair) -> None:
        try:
            old, new = self.old.alternatives(key[0]), self.new.alternatives(key[1])
        except TooManyAlternativesError:
            if not self._are_same(key[0], key[1]):
                message = "changed, and has too many alternatives to say how"
                pair.facts.append(Fact("schema", message, True, True, *_first(key)))
            return
        types = _union(old), _union(new)
        pair.facts.extend(_types(key, *types))
        for name in ("boolean", "number", "string", "array", "object"):
            if all(_has(found, name) for found in types):
                chosen = [[item for item in side if _has(item.types, name)] for side in (old, new)]
                self._compare_type(name, key, pair, (chosen[0], chosen[1]))
        if self.direction == "request":
            pair.facts.extend(self._default(key))
        pair.facts = list(dict.fromkeys(pair.facts))
        pair.below = list(dict.fromkeys(pair.below))

    def _compare_type(
        self,
        name: str,
        key: Key,
        pair: Pair,
        alternatives: tuple[list[Alternative], list[Alternative]],
    ) -> None:
        """Compares the alternatives that admit values of one JSON type."""
        listed = [_values(name, side) for side in alternatives]
        lost = [value for value in listed[0] if self._admitted(key, value) == (True, False)]
        gained = [value for value in listed[1] if self._admitted(key, value) == (False, True)]
        old, new = ([item for item in side if item.values is None] for side in alternatives)
        if name == "boolean":
            old, new = [], []  # their values are all listed
        places = _enum_place(alternatives[0]), _enum_place(alternatives[1])
        if old and not new:
            message = f"limited to {_options(listed[1])} now"
            pair.facts.append(Fact("enum", message, True, bool(gained), _first(key)[0], places[1]))
        elif new and not old:
            message = f"not limited to {_options(listed[0])} any more"
            pair.facts.append(Fact("enum", message, bool(lost), True, places[0], _first(key)[1]))
        elif lost or gained:
            message = _enum_message(lost, gained)
            pair.facts.append(Fact("enum", message, bool(lost), bool(gained), *places))
        for both in self._matched(name, key, pair, old, new):
            self._compare_alternatives(name, both, key, pair)

    def _default(self, key: Key) -> Iterator[Fact]:
        """A default says what it means to leave a value out."""
        if not key[0] or not key[1]:
            return
        old, new = self.old.default(key[0][0]), self.new.default(key[1][0])
        if old != new:
            known = old is not None and new is not None
            words = [None if value is None else shown(value) for value in (old, new)]
            yield Fact("default", was("default", *words), known, known, key[0][0], key[1][0])

    def _admitted(self, key: Key, value: Any) -> tuple[bool, bool]:
        return self.old.admits(key[0], value), self.new.admits(key[1], value)

    def _matched(
        self, name: str, key: Key, pair: Pair, old: list[Alternative], new: list[Alternative]
    ) -> Iterator[Both]:
        """The alternatives that are versions of each other; facts about those without a partner."""
        if not old or not new:
            return
        partners = self._partners(old, new)
        yield from ((old[i], new[j]) for i, j in partners.items())
        for index, item in enumerate(old):
            if index in partners:
                continue
            if not any(self._covers(name, (item, other), key)[0] for other in new):
                message = f"{self._label(self.old, item)} is not admitted any more"
                places = _place(item), _first(key)[1]
                pair.facts.append(Fact("alternative", message, True, False, *places))
        for index, item in enumerate(new):
            if index in partners.values():
                continue
            if not any(self._covers(name, (other, item), key)[1] for other in old):
                message = f"{self._label(self.new, item)} is admitted now"
                places = _first(key)[0], _place(item)
                pair.facts.append(Fact("alternative", message, False, True, *places))

    def _covers(self, name: str, both: Both, key: Key) -> tuple[bool, bool]:
        """Whether the new alternative plainly covers the old one, and the old one the new one."""
        tried = Pair()
        self._compare_alternatives(name, both, key, tried)
        same = all(self._are_same(*below) for _, below in tried.below)
        whole = ["fraction" not in item.types for item in both]
        narrows = any(fact.narrows for fact in tried.facts) or (whole[1] and not whole[0])
        widens = any(fact.widens for fact in tried.facts) or (whole[0] and not whole[1])
        return same and not narrows, same and not widens

    def _partners(self, old: list[Alternative], new: list[Alternative]) -> dict[int, int]:
        """Which alternative became which, the likeliest first."""
        if len(old) == len(new) == 1:
            return {0: 0}
        # Equally likely ones go by their order, so that it makes no difference which is the old.
        ranked = sorted(
            (-self._score(one, other), abs(i - j), min(i, j), i, j)
            for i, one in enumerate(old)
            for j, other in enumerate(new)
        )
        partners: dict[int, int] = {}
        for score, _, _, i, j in ranked:
            if score < 0 and i not in partners and j not in partners.values():
                partners[i] = j
        return partners

    def _score(self, old: Alternative, new: Alternative) -> float:
        """How likely two alternatives are versions of each other; none at all from 0 down."""
        score = 0.5
        if old.branch and new.branch:
            if self._are_same((old.branch,), (new.branch,)):
                score += 16
            if _is_component(old.branch):
                score += 8 * (old.branch.keys == new.branch.keys)
        names = old.names.keys() | new.names.keys()
        shared = old.names.keys() & new.names.keys()
        for name in shared:
            kinds = self._kinds(self.old, old, name), self._kinds(self.new, new, name)
            if kinds[0] and kinds[1]:
                if not any(value in kinds[1] for value in kinds[0]):
                    return -1
                score += 4
        if names:
            score += 2 * len(shared) / len(names) - 0.6
        formats = [{f.node["format"] for f in item.with_key("format")} for item in (old, new)]
        return score + (formats[0] == formats[1])

    def _kinds(self, views: Views, alternative: Alternative, name: str) -> list[Any]:
        """The values of a property that tells alternatives apart, such as ``type``."""
        if name not in alternative.required:
            return []
        for facet in alternative.with_key("properties"):
            node = facet.node["properties"].get(name)
            if isinstance(node, dict):
                node = views.node(views.resolved(facet.part.below("properties", name)))
            if isinstance(node, dict) and "const" in node:
                return [node["const"]]
            if isinstance(node, dict) and isinstance(node.get("enum"), list):
                return list(node["enum"])
        return []

    def _label(self, views: Views, alternative: Alternative) -> str:
        """How a message names an alternative."""
        if alternative.branch and not alternative.branch.keys[-1].isdigit():
            return f"the alternative {alternative.branch.keys[-1]}"
        for name in alternative.names:
            kinds = self._kinds(views, alternative, name)
            if len(kinds) == 1:
                return f"the alternative with {name} {shown(kinds[0])}"
        for facet in alternative.with_key("format"):
            return f"the alternative of the format {facet.node['format']}"
        return f"an alternative ({type_words(_shown_types(alternative.types))})"

    # Two alternatives

    def _compare_alternatives(self, name: str, both: Both, key: Key, pair: Pair) -> None:
        places = _place(both[0]) or _first(key)[0], _place(both[1]) or _first(key)[1]
        found = [*self._other_keywords(name, both), *of_keywords(name, both)]
        if name == "array":
            self._items(both, pair)
        elif name == "object":
            found += self._properties(both, places, pair)
        for fact in found:
            pair.facts.append(_placed(fact, places))

    def _other_keywords(self, name: str, both: Both) -> Iterator[Fact]:
        """Keywords whose effect cannot be told apart: the same, or changed in both ways."""
        for keyword in (*_OPAQUE[""], *_OPAQUE.get(name, ())):
            old, new = ([f.part.below(keyword) for f in item.with_key(keyword)] for item in both)
            if len(old) == len(new) and all(
                self._are_same((one,), (other,)) for one, other in zip(old, new, strict=True)
            ):
                continue
            word = "changed" if old and new else "new" if new else "gone"
            old_at, new_at = old[0] if old else None, new[0] if new else None
            yield Fact(keyword, f"its {keyword} is {word}", bool(new), bool(old), old_at, new_at)

    def _items(self, both: Both, pair: Pair) -> None:
        fixed = max(
            (len(f.node["prefixItems"]) for item in both for f in item.with_key("prefixItems")),
            default=0,
        )
        for index in range(fixed + 1):
            step = "[]" if index == fixed else f"[{index}]"
            parts = self.old.item(both[0], index), self.new.item(both[1], index)
            self._go_down(pair, step, parts)

    def _go_down(self, pair: Pair, step: str, key: Key) -> None:
        if key[0] or key[1]:
            pair.below.append((step, key))

    def _properties(
        self,
        both: Both,
        places: tuple[Part | None, Part | None],
        pair: Pair,
    ) -> Iterator[Fact]:
        old, new = self._sent(self.old, both[0]), self._sent(self.new, both[1])
        for name in dict.fromkeys((*old, *new)):
            parts = self.old.property(both[0], name), self.new.property(both[1], name)
            # A schema for maps describes every property.
            if (name in old or self._is_map(self.old, both[0], name)) and (
                name in new or self._is_map(self.new, both[1], name)
            ):
                self._go_down(pair, f".{name}", parts)
                yield from self._required(both, name, parts)
            elif name in old:
                yield self._gone(both, name, parts, places[1])
            else:
                yield self._new(both, name, parts, places[0])
        for name in both[0].required.keys() ^ both[1].required.keys():
            if name not in old and name not in new and not self._is_read_only(both, name):
                yield from self._required(both, name, ((), ()))
        yield from self._other_properties(both, pair)

    def _sent(self, views: Views, alternative: Alternative) -> list[str]:
        """The names of the described properties that the direction has."""
        if self.direction == "response":
            return [*alternative.names]
        return [
            name for name in alternative.names if not self._reads_only(views, alternative, name)
        ]

    def _is_read_only(self, both: Both, name: str) -> bool:
        return self.direction == "request" and (
            self._reads_only(self.old, both[0], name) or self._reads_only(self.new, both[1], name)
        )

    def _reads_only(self, views: Views, alternative: Alternative, name: str) -> bool:
        if name not in alternative.names:
            return False
        return any(
            facet.node.get("readOnly") is True
            for part in views.property(alternative, name)
            for facet in views.facets(part)
        )

    def _is_map(self, views: Views, alternative: Alternative, name: str) -> bool:
        parts = views.property(alternative, name)
        return bool(parts) and name not in alternative.names and not views.is_false(parts)

    def _required(self, both: Both, name: str, parts: Key) -> Iterator[Fact]:
        needed = name in both[0].required, name in both[1].required
        if needed[0] != needed[1]:
            message = "required now" if needed[1] else "not required any more"
            old = parts[0][0] if parts[0] else both[0].required.get(name)
            new = parts[1][0] if parts[1] else both[1].required.get(name)
            yield Fact("required", message, needed[1], needed[0], old, new, f".{name}")

    def _gone(self, both: Both, name: str, parts: Key, place: Part | None) -> Fact:
        # What a client sends and nobody reads any more has lost its meaning; what a server adds is
        # for those who know it.
        refused = self.new.is_false(parts[1])
        narrows = refused or self.direction == "request"
        message = "gone, and refused" if refused else "gone"
        widens = name in both[0].required
        if widens:
            message = f"{message} (it was required)"
        return Fact("property", message, narrows, widens, parts[0][0], place, f".{name}")

    def _new(self, both: Both, name: str, parts: Key, place: Part | None) -> Fact:
        refused = self.old.is_false(parts[0])
        widens = refused or self.direction == "request"
        narrows = name in both[1].required
        message = "new, and required" if narrows else "new"
        if refused:
            message = f"{message} (it was refused)"
        return Fact("property", message, narrows, widens, place, parts[1][0], f".{name}")

    def _other_properties(self, both: Both, pair: Pair) -> Iterator[Fact]:
        parts = self.old.others(both[0]), self.new.others(both[1])
        closed = self.old.is_false(parts[0]), self.new.is_false(parts[1])
        if closed[0] and closed[1]:
            return
        if closed[0] or closed[1]:
            word = "refused now" if closed[1] else "admitted now"
            old, new = parts[0][0] if parts[0] else None, parts[1][0] if parts[1] else None
            rule, message = "additional-properties", f"other properties are {word}"
            yield Fact(rule, message, closed[1], closed[0], old, new)
        else:
            self._go_down(pair, ".*", parts)

    # Equality

    def _are_same(self, old: Parts, new: Parts) -> bool:
        """Whether two schemas are written alike, wherever they stand."""
        if len(old) != len(new):
            return False
        return all(self._is_same(both) for both in zip(old, new, strict=True))

    def _is_same(self, both: tuple[Part, Part]) -> bool:
        known = self._same.get(both)
        if known is not None:
            return known
        # Schemas that refer to themselves are the same unless something else differs.
        seen, queue = {both}, deque([both])
        while queue:
            below = self._written_alike(queue.popleft())
            if below is None or any(self._same.get(item) is False for item in below):
                self._same[both] = False
                return False
            fresh = [item for item in below if item not in seen and item not in self._same]
            seen.update(fresh)
            queue.extend(fresh)
        self._same.update(dict.fromkeys(seen, True))
        return True

    def _written_alike(self, both: tuple[Part, Part]) -> list[tuple[Part, Part]] | None:
        """The schemas below that must be the same for these two to be; None if they are not."""
        old, new = self.old.resolved(both[0]), self.new.resolved(both[1])
        one, other = self.old.node(old), self.new.node(new)
        if not isinstance(one, dict) or not isinstance(other, dict):
            return [] if one == other else None
        if one.keys() != other.keys():
            return None
        below: list[tuple[Part, Part]] = []
        for key, value in one.items():
            if key == "$ref":
                below.append((self.old.target(old), self.new.target(new)))
                continue
            names = _schemas_at(key, value)
            if names is None:
                if value != other[key] or type_of(value) != type_of(other[key]):
                    return None
            elif names != _schemas_at(key, other[key]):
                return None
            else:
                below += [(old.below(key, *name), new.below(key, *name)) for name in names]
        return below


def _schemas_at(key: str, value: Any) -> list[tuple[str, ...]] | None:
    """The ways from a keyword to the schemas in it; None if its value is no schema."""
    if key in NAME_MAPS and isinstance(value, dict):
        return sorted((name,) for name in value)
    if key in DATA:
        return None
    if isinstance(value, list):
        return [(str(index),) for index in range(len(value))] if _holds_schemas(value) else None
    return [()] if isinstance(value, dict) else None


def _holds_schemas(values: list[Any]) -> bool:
    return all(isinstance(value, dict | bool) for value in values)


_OPAQUE = {
    "": ("not", "if", "then", "else"),
    "array": ("contains", "minContains", "maxContains", "unevaluatedItems"),
    "object": ("patternProperties", "propertyNames", "dependentRequired", "dependentSchemas"),
    "string": ("contentEncoding", "contentMediaType", "contentSchema"),
}


# Places


def _is_component(part: Part) -> bool:
    return len(part.keys) == 3 and part.keys[:2] == ("components", "schemas")


def _first(key: Key) -> tuple[Part | None, Part | None]:
    return (key[0][0] if key[0] else None), (key[1][0] if key[1] else None)


def _place(alternative: Alternative) -> Part | None:
    if alternative.branch is not None:
        return alternative.branch
    return alternative.facets[0].part if alternative.facets else None


def _placed(fact: Fact, places: tuple[Part | None, Part | None]) -> Fact:
    old, new = fact.old or places[0], fact.new or places[1]
    return Fact(fact.rule, fact.message, fact.narrows, fact.widens, old, new, fact.step)


def _enum_place(alternatives: Sequence[Alternative]) -> Part | None:
    for item in alternatives:
        for key in ("enum", "const"):
            for facet in item.with_key(key):
                return facet.part.below(key)
    return _place(alternatives[0])


# Types and values


def _has(types: frozenset[str], name: str) -> bool:
    return bool(types & {"integer", "fraction"}) if name == "number" else name in types


def _union(alternatives: Sequence[Alternative]) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for item in alternatives:
        found |= item.types
    return found


def _types(key: Key, old: frozenset[str], new: frozenset[str]) -> Iterator[Fact]:
    if old == new:
        return
    if old ^ new == {"null"}:
        message = "may be null now" if "null" in new else "may not be null any more"
        yield Fact("nullable", message, "null" in old, "null" in new, *_first(key))
        return
    message = f"{_type_phrase(new)} now, was {_type_phrase(old)}"
    yield Fact("type", message, bool(old - new), bool(new - old), *_first(key))


def _type_phrase(types: frozenset[str]) -> str:
    names = _shown_types(types)
    return "nothing" if not names else "anything" if len(names) > 5 else type_words(names)


def _shown_types(types: frozenset[str]) -> list[str]:
    names = sorted(types - {"fraction"})
    if "fraction" in types:
        names = [name for name in names if name != "integer"] + ["number"]
    return names


def _values(name: str, alternatives: Sequence[Alternative]) -> list[Any]:
    """The values of that type that are listed one by one."""
    found: list[Any] = []
    for item in alternatives:
        values = item.values
        if values is None and name == "boolean":
            values = [False, True]
        found += [value for value in values or () if _has(frozenset((type_of(value),)), name)]
    return found


def _options(values: Sequence[Any]) -> str:
    words = [shown(value) for value in values[:_SHOWN_VALUES_MAX]]
    left = len(values) - len(words)
    return either([*words, f"one of {left} others"] if left else words)


def _enum_message(lost: Sequence[Any], gained: Sequence[Any]) -> str:
    words = []
    if lost:
        words.append(f"may not be {_options(lost)} any more")
    if gained:
        words.append(f"may be {_options(gained)} now")
    return ", ".join(words)
