"""Settles whose a find is that several records claim.

Records are placed one after the other, each given those placed before it: the one that explains the most alone comes
first. Then each is looked at again given all others until nothing moves (coordinate ascent). By the chain rule the
evidence of all is the product of the evidence of each given those before it, so another order that explains what was
seen as well keeps its weight: one find that may be either record's is half of each. Docs: docs/decisions/0032.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import logsumexp, softmax

from surefoot.analysis.reanchor.ground import Seen
from surefoot.analysis.reanchor.subject import Corrected, Subject, Work, density_after, of_others

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SWEEPS = 4
"""Most times that every record is looked at again."""
CHANGED = 0.1
"""Least change of the log density of all else at a find that is worth new draws."""
DISPLACED = 1.0
"""A record that loses so much log evidence to those placed before it is tried as the first of another order."""
ORDERS = 10
"""Most other orders tried."""
LEAST_ORDER = 0.01
"""Orders that weigh less are left out."""


@dataclass
class Competition:
    """Corrects records given the others; what was drawn once for the same surroundings is not drawn again.

    Attributes
    ----------
    subjects
        All records.
    rivals
        Of each record, the others whose devices may be what it claims.
    seen
        What was seen.
    correct
        Corrects records, given the density of all others at each thing seen; in their order.
    """

    subjects: Sequence[Subject]
    rivals: Sequence[Ints]
    seen: Seen
    correct: Callable[[Iterable[Work]], Iterable[Corrected]]
    _drawn: dict[int, list[tuple[Floats, Corrected]]] = field(default_factory=dict)

    def given(self, wanted: Sequence[tuple[int, Floats]]) -> list[Corrected]:
        """Records, each given the density of the others, (m,)."""
        known = [self._known(n, others) for n, others in wanted]
        new = [k for k, result in enumerate(known) if result is None]
        drawn = self.correct([Work(self.subjects[wanted[k][0]], wanted[k][1]) for k in new])
        for k, result in zip(new, drawn, strict=True):
            self._drawn.setdefault(wanted[k][0], []).append((wanted[k][1], result))
            known[k] = result
        return [result for result in known if result is not None]

    def _known(self, n: int, others: Floats) -> Corrected | None:
        own = self.subjects[n].clutter + self.subjects[n].vague_density
        for before, result in self._drawn.get(n, ()):
            near = result.posterior.find
            if np.all(np.abs(np.log((own + others)[near] / (own + before)[near])) < CHANGED):
                return result
        return None

    def density(self, n: int, corrected: Corrected) -> Floats:
        """Density of a corrected record's devices at each thing seen, (m,)."""
        return density_after(corrected, self.subjects[n], self.seen)


@dataclass
class _Order:
    """An order in which the records of a group are placed: the density of every record of the case so far.

    `turns` are the members by turn: records that are no rivals of each other have theirs at once, to the same result.
    """

    members: list[int]
    turns: list[list[int]]
    density: list[Floats]
    corrected: dict[int, Corrected] = field(default_factory=dict)
    evidence: dict[int, float] = field(default_factory=dict)  # of each given those before it

    @property
    def log_evidence(self) -> float:
        return sum(self.evidence.values())


def settle(
    groups: Sequence[Sequence[int]], density: Sequence[Floats], competition: Competition
) -> dict[int, Corrected]:
    """Settle who claims what; the groups are settled side by side.

    Parameters
    ----------
    groups
        Numbers of the records that claim what others of the group may claim.
    density
        Of every record's devices at each thing seen, (m,), as known so far.
    competition
        Corrects them.
    """
    members = [n for group in groups for n in group]
    start = list(density)
    for n in members:
        start[n] = competition.subjects[n].vague_density
    alone = competition.given([(n, of_others(start, competition.rivals[n])) for n in members])
    strength = {n: c.posterior.log_evidence for n, c in zip(members, alone, strict=True)}
    rivals = competition.rivals
    best = [_order(sorted(group, key=lambda n: (-strength[n], n)), rivals, start) for group in groups]
    _place(best, competition)
    tried = [[_order(members, rivals, start) for members in _other_orders(order, strength)] for order in best]
    _place([order for orders in tried for order in orders], competition)
    every = [[order, *orders] for order, orders in zip(best, tried, strict=True)]
    _sweep([order for orders in every for order in orders], competition)
    return {n: result for orders in every for n, result in _mixed(orders).items()}


def groups_of(contested: Sequence[int], rivals: Sequence[Ints]) -> list[list[int]]:
    """Contested records that are rivals of each other, at first or second hand."""
    place = {n: k for k, n in enumerate(contested)}
    pairs = [(place[n], place[m]) for n in contested for m in rivals[n].tolist() if m in place]
    one, other = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    links = coo_array((np.ones(len(one)), (one, other)), shape=(len(place), len(place)))
    label = connected_components(links, directed=False)[1]
    return [[contested[k] for k in np.flatnonzero(label == g).tolist()] for g in range(label.max(initial=-1) + 1)]


def _order(members: list[int], rivals: Sequence[Ints], start: Sequence[Floats]) -> _Order:
    """Give each member the turn after the last of its rivals before it."""
    turn: dict[int, int] = {}
    for n in members:
        before = [turn[m] for m in turn if m in rivals[n] or n in rivals[m]]
        turn[n] = 1 + max(before, default=-1)
    return _Order(members, [[n for n in members if turn[n] == t] for t in range(1 + max(turn.values()))], list(start))


def _other_orders(order: _Order, strength: Mapping[int, float]) -> list[list[int]]:
    displaced = [n for n in order.members[1:] if strength[n] - order.evidence[n] > DISPLACED]
    return [[n, *(m for m in order.members if m != n)] for n in displaced[:ORDERS]]


def _place(orders: Sequence[_Order], competition: Competition) -> None:
    """Place the records of every order one after the other, each given those before it; the orders side by side."""
    for turn in range(max((len(order.turns) for order in orders), default=0)):
        for order, n in _step(orders, turn, competition):
            order.evidence[n] = order.corrected[n].posterior.log_evidence


def _sweep(orders: Sequence[_Order], competition: Competition) -> None:
    """Look at every record again, given all others, until nothing moves."""
    moving = list(orders)
    for _ in range(SWEEPS):
        before = [dict(order.corrected) for order in moving]
        for turn in range(max((len(order.turns) for order in moving), default=0)):
            _step(moving, turn, competition)
        moving = [order for order, old in zip(moving, before, strict=True) if not _same(order.corrected, old)]


def _same(one: Mapping[int, Corrected], other: Mapping[int, Corrected]) -> bool:
    return all(one[n] is other[n] for n in one)


def _step(orders: Sequence[_Order], turn: int, competition: Competition) -> list[tuple[_Order, int]]:
    """Correct the records whose turn it is in each order."""
    due = [(order, n) for order in orders if turn < len(order.turns) for n in order.turns[turn]]
    wanted = [(n, of_others(order.density, competition.rivals[n])) for order, n in due]
    for (order, n), result in zip(due, competition.given(wanted), strict=True):
        order.corrected[n] = result
        order.density[n] = competition.density(n, result)
    return due


def _mixed(orders: Sequence[_Order]) -> dict[int, Corrected]:
    """Average each record over the first order and those that leave it otherwise, by their evidence.

    An order that begins with another record far off leaves this one as it was and takes no weight from the rest.
    """
    first = orders[0]
    return {
        n: _average([first, *(o for o in orders[1:] if o.corrected[n] is not first.corrected[n])], n)
        for n in first.members
    }


def _average(orders: Sequence[_Order], n: int) -> Corrected:
    weight = softmax([order.log_evidence for order in orders])
    weight = np.where(weight < LEAST_ORDER, 0.0, weight)
    parts = [(float(w), o.corrected[n]) for w, o in zip(weight / weight.sum(), orders, strict=True) if w > 0.0]
    first = parts[0][1]
    if len(parts) == 1:
        return first
    apart = [(w, _of_its_own(corrected)) for w, corrected in parts]
    posteriors = [(w, c.posterior) for w, c in apart]
    rival = sum(w * p.log_evidence_unrelated for w, p in posteriors)
    gain = logsumexp([p.log_evidence - p.log_evidence_unrelated for _, p in posteriors], b=[w for w, _ in posteriors])
    joined = replace(
        first.posterior, sampled=tuple(s for _, p in posteriors for s in p.sampled),
        weight=np.concatenate([w * p.weight for w, p in posteriors]),
        log_evidence=float(rival + gain), log_evidence_unrelated=float(rival),
    )  # fmt: skip
    placements = [replace(p, weight=w * p.weight) for w, c in apart for p in c.placements]
    return Corrected(joined, tuple(sorted(placements, key=lambda p: -p.weight)))


def _of_its_own(corrected: Corrected) -> Corrected:
    """The same with hypotheses of its own: a placement is told from another by its hypothesis."""
    own = {id(s.hypothesis): replace(s.hypothesis) for s in corrected.posterior.sampled}
    sampled = tuple(replace(s, hypothesis=own[id(s.hypothesis)]) for s in corrected.posterior.sampled)
    placements = tuple(replace(p, hypothesis=own[id(p.hypothesis)]) for p in corrected.placements)
    return Corrected(replace(corrected.posterior, sampled=sampled), placements)
