"""The posterior of one record: every hypothesis sampled, weighed by its evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit, logsumexp

from surefoot.analysis.kernels.registration import SURVEYED_VARIANCE_M2
from surefoot.analysis.kernels.rows import VAGUE_VARIANCE_M2
from surefoot.analysis.reanchor.ground import (
    NOTHING_SEARCHED,
    Mask,
    SearchedGround,
    Seen,
    agreement,
    mask_of,
)
from surefoot.analysis.reanchor.hypotheses import SMALLEST_VARIANCE_M2, Hypothesis, RecordPrior
from surefoot.analysis.reanchor.sampler import PARAMETERS, Cloud, Settings, Target, gain_of_bending, sample
from surefoot.analysis.reanchor.unrelated import OtherField, another_field, best_rival, elsewhere

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

REACH_SIGMAS = 7.0
"""How far from its prior a placement is looked for: what lies farther off bears on no hypothesis."""


PILOT = Settings(particles=300, sweeps=2, last_lap=1.0)
RIVAL = Settings(particles=600, sweeps=3, first_draws=24, last_lap=1.0)
"""Of the rival that has the record's own pattern."""
IN_QUESTION = 5.0
"""Hypotheses whose pilot weight is within this many nats of the best are sampled with the full effort."""
STRANGER_PRIOR, STRANGER_ROUNDS = (0.02, 9.98), 50
"""Beta prior of the share of records that have nothing to do with what was seen about them: one in five hundred, soon
taught otherwise by the other records of a case."""
NEVER_THERE = 0.05
"""The least such share where nothing was seen at all: none of its devices is there, or the record is of elsewhere."""
LEAST_STRANGER, SUREST = 1e-4, 1.0 - 1e-9
BEND_SD, BEND_FINDS, SLIGHT_GAIN, BEND_GAIN = 0.05, 4, 0.5, 3.0
"""A sketch drawn out along one axis: sd of stretch and of shear, finds from which they are asked for, the rough gain in
log evidence from which a slight bend is sampled and the gain from which any is believed (methods.md section 2, failure
mode d)."""


@dataclass(frozen=True)
class RecordFacts:
    """What is known of a record's devices beside where they lie, over the devices of its `RecordPrior`.

    Attributes
    ----------
    index : float array (n,)
        Position in its row from 1, nan = not stated.
    category : int array (n,)
        0 = unknown.
    presence : float array (n,)
        Prior chance that the device was laid and was not removed since.
    clutter_per_m2
        Density of devices on no record about this one.
    recorded_per_m2
        Density of its own devices over the same ground.
    """

    index: Floats
    category: Ints
    presence: Floats
    clutter_per_m2: float
    recorded_per_m2: float


@dataclass(frozen=True)
class Sampled:
    """One hypothesis after the finds. `cloud` is None where nothing seen bears on it: then the prior stands.

    Where `stranger`, nothing seen is of the record: it stands as it reads, whatever was found and searched.
    """

    hypothesis: Hypothesis
    target: Target
    find_rows: Ints  # rows of the posterior's finds that are in the target
    cloud: Cloud | None
    stranger: bool = False

    @property
    def log_evidence(self) -> float:
        """Log evidence against clutter alone; 0 where nothing bears on the hypothesis."""
        return 0.0 if self.cloud is None else self.cloud.log_evidence


@dataclass(frozen=True)
class Posterior:
    """All hypotheses of one record with their posterior weights, and the finds within reach (rows of `Seen`).

    Hypotheses that nothing seen is of the record stand behind the others where they weigh anything (`doubted`).
    """

    prior: RecordPrior
    facts: RecordFacts
    sampled: tuple[Sampled, ...]
    weight: Floats
    find: Ints
    log_evidence: float
    log_evidence_unrelated: float = field(default=0.0)

    @property
    def stranger(self) -> float:
        """P(nothing seen is of the record)."""
        return float(self.weight[np.array([s.stranger for s in self.sampled])].sum())


def explore(
    prior: RecordPrior,
    facts: RecordFacts,
    seen: Seen,
    searched: SearchedGround,
    *,
    rng: np.random.Generator,
    degrees_of_freedom: float = 4.0,
    clutter: Floats | None = None,
    other_density: Floats | None = None,
    settings: Settings | None = None,
) -> Posterior:
    """Sample every hypothesis of a record and weigh them by their evidence.

    Parameters
    ----------
    prior, facts
        The record before any find.
    seen, searched
        Everything seen, on the case's grid.
    rng
        Spawned once a hypothesis.
    degrees_of_freedom
        Of the Student t prior of the placement.
    clutter
        (m,) density at each thing seen of devices of no record, per m2; None = `facts.clutter_per_m2` everywhere.
    other_density
        (m,) density at each thing seen of devices of other records, per m2; None = no other record near.
    settings
        Of the sampler.
    """
    chosen = settings or Settings()
    reach = [reach_of(h) for h in prior.hypotheses]
    find = within(seen.position, np.sqrt(seen.variance), reach)
    near = seen.take(find)
    base = np.full(len(near), facts.clutter_per_m2) if clutter is None else np.array(clutter[find])
    base += 0.0 if other_density is None else other_density[find]
    factor = agreement(near, prior.record_id, prior.row, facts.index, facts.category)
    clear = near.variance[near.variance <= SURVEYED_VARIANCE_M2]
    placed = float(np.sqrt(np.median(clear))) if len(clear) else 0.5
    masks, pilot = Masks(searched), _no_harder(PILOT, chosen)
    streams = rng.spawn(len(prior.hypotheses))
    number = np.unique(prior.row.astype(str), return_inverse=True)[1]
    before = []
    for hypothesis, box in zip(prior.hypotheses, reach, strict=True):
        rows = within(near.position, np.sqrt(near.variance), [box])
        mask = masks.around(box, float(np.sqrt(np.median(hypothesis.own_variance))), placed)
        target = target_of(
            hypothesis, facts, number, near.take(rows), factor[rows] / base[rows, None], mask, degrees_of_freedom
        )
        before.append(Sampled(hypothesis, target, rows, None))
    bears = np.array([len(s.target.finds) > 0 or bool(s.target.search[0].any()) for s in before])
    sampled = _refined(_run(before, bears, pilot, streams), chosen, streams)
    logs = _log_weights(sampled)
    best = int(np.argmax(logs))
    sampled[best] = _bent_if_asked(sampled[best], pilot, chosen, streams[best])
    logs = _log_weights(sampled)
    total = float(logsumexp(logs))
    rival = _best_rival(sampled, facts, base)
    if total > rival:
        rival = max(rival, _elsewhere(sampled[best], chosen, streams[best]))
    return Posterior(prior, facts, tuple(sampled), np.exp(logs - total), find, total, rival)


def doubted(posterior: Posterior, share: float) -> Posterior:
    """Return the posterior when such a share of all records has nothing to do with what was seen about them.

    Either what was seen is of the record, or of its best rival: then the record stands as it reads. Their odds are the
    prior's times the evidence of the one against the other (Bayes factor).
    """
    odds = (1.0 - share) / share * np.exp(min(posterior.log_evidence - posterior.log_evidence_unrelated, 500.0))
    chance = min(float(1.0 / (1.0 + odds)), SUREST)
    held = np.array([not s.stranger for s in posterior.sampled])
    own = tuple(s for s in posterior.sampled if not s.stranger)
    weight = posterior.weight[held] / posterior.weight[held].sum()
    if chance < LEAST_STRANGER:
        return replace(posterior, sampled=own, weight=weight)
    prior = np.array([s.hypothesis.weight for s in own])
    return replace(
        posterior,
        sampled=(*own, *(_untouched(s) for s in own)),
        weight=np.concatenate([(1.0 - chance) * weight, chance * prior / prior.sum()]),
    )


def stranger_shares(posteriors: Sequence[Posterior]) -> Floats:
    """For each record the share that has nothing to do with what was seen about them, by the other records (EM), (r,).

    By the others: one odd record alone would make itself likelier to be a stranger.
    """
    against = np.array([p.log_evidence_unrelated - p.log_evidence for p in posteriors])
    counts = np.array([len(p.find) > 0 for p in posteriors])
    one, other = STRANGER_PRIOR
    share = np.full(len(against), one / (one + other))
    for _ in range(STRANGER_ROUNDS):
        chance = np.where(counts, expit(logit(share) + against), 0.0)
        share = (one + chance.sum() - chance) / (one + other + counts.sum() - counts)
    return np.where(counts, share, np.maximum(share, NEVER_THERE))


def _untouched(sampled: Sampled) -> Sampled:
    """The hypothesis when nothing that was found is of the record; what was searched still tells of its devices."""
    bare = replace(sampled.target, finds=sampled.target.finds[:0], base=sampled.target.base[:0])
    if len(sampled.target.covariance) > 4:
        bare = replace(bare, covariance=sampled.hypothesis.covariance)  # unbent
    return Sampled(replace(sampled.hypothesis), bare, sampled.find_rows[:0], None, stranger=True)


def _no_harder(effort: Settings, chosen: Settings) -> Settings:
    """Than the run itself."""
    return replace(effort, particles=min(effort.particles, chosen.particles), sweeps=min(effort.sweeps, chosen.sweeps))


def _best_rival(sampled: Sequence[Sampled], facts: RecordFacts, clutter: Floats) -> float:
    """Log evidence of the best rival of the record; `clutter` is the density at each thing near."""
    known: dict[tuple[int, bytes, complex], OtherField] = {}
    for one in sampled:
        key = _place_key(one)
        if key not in known:
            target = one.target
            known[key] = another_field(
                target.finds, target.search, clutter[one.find_rows], facts.clutter_per_m2, facts.recorded_per_m2
            )
    return best_rival([s.hypothesis.weight for s in sampled], [known[_place_key(s)] for s in sampled])


def _elsewhere(likeliest: Sampled, chosen: Settings, stream: np.random.Generator) -> float:
    """Log evidence of a stranger's field that has the record's own pattern."""
    if likeliest.cloud is None:
        return 0.0
    return sample(elsewhere(likeliest.target), _no_harder(RIVAL, chosen), stream).log_evidence


def _place_key(sampled: Sampled) -> tuple[int, bytes, complex]:
    """Hypotheses of one place see the same finds on the same ground."""
    return id(sampled.target.search[0]), sampled.find_rows.tobytes(), sampled.hypothesis.centroid


def _refined(rough: list[Sampled], settings: Settings, streams: Sequence[np.random.Generator]) -> list[Sampled]:
    """Sample anew, with the full effort, the hypotheses that a pilot run leaves in question."""
    logs = _log_weights(rough)
    drawn = np.array([s.cloud is not None for s in rough])
    return _run(rough, drawn & (logs > logs.max() - IN_QUESTION), settings, streams)


def _run(
    sampled: Sequence[Sampled], wanted: Booleans, effort: Settings, streams: Sequence[np.random.Generator]
) -> list[Sampled]:
    """Sample the wanted hypotheses; each has a stream of its own."""
    result = list(sampled)
    for number in np.flatnonzero(wanted).tolist():
        result[number] = replace(result[number], cloud=sample(result[number].target, effort, streams[number]))
    return result


def _log_weights(sampled: Sequence[Sampled]) -> Floats:
    return np.array([np.log(s.hypothesis.weight) + s.log_evidence for s in sampled])


def _bent_if_asked(plain: Sampled, pilot: Settings, settings: Settings, stream: np.random.Generator) -> Sampled:
    """Let the pattern be stretched and sheared as well, where the evidence asks for it by more than `BEND_GAIN`.

    A slight bend shows about the plain placement, a strong one has led that astray and shows in a run of its own.
    """
    if plain.cloud is None or int((plain.target.finds[:, 2] <= VAGUE_VARIANCE_M2).sum()) < BEND_FINDS:
        return plain
    wide = np.zeros((PARAMETERS, PARAMETERS))
    wide[:4, :4] = plain.target.covariance
    wide[4, 4] = wide[5, 5] = BEND_SD**2
    target = replace(plain.target, covariance=wide)
    slight = gain_of_bending(plain.target, plain.cloud, BEND_SD, stream) > SLIGHT_GAIN
    if not slight and sample(target, pilot, stream).log_evidence < plain.log_evidence + 0.5 * BEND_GAIN:
        return plain
    cloud = sample(target, settings, stream)
    return replace(plain, target=target, cloud=cloud) if cloud.log_evidence > plain.log_evidence + BEND_GAIN else plain


Box = tuple[float, float, float, float]


def reach_of(hypothesis: Hypothesis) -> Box:
    """Return the box in which the devices of a hypothesis may lie."""
    cov, radius = hypothesis.covariance, float(np.abs(hypothesis.pattern).max())
    own = float(np.sqrt(hypothesis.own_variance.max()))
    swing = radius * float(np.hypot(np.sqrt(cov[2, 2]), np.sqrt(cov[3, 3])))
    east, north = (REACH_SIGMAS * np.sqrt(cov[axis, axis] + swing**2 + own**2) for axis in (0, 1))
    centre, places = hypothesis.centroid, hypothesis.pattern
    return (
        float(centre.real + places.real.min() - east),
        float(centre.imag + places.imag.min() - north),
        float(centre.real + places.real.max() + east),
        float(centre.imag + places.imag.max() + north),
    )


def within(position: Floats, sigma: Floats, boxes: Sequence[Box]) -> Ints:
    """Rows of the points that lie in any of the boxes, each grown by three sigmas of the point."""
    result = np.zeros(len(position), dtype=bool)
    grow = 3.0 * sigma
    for west, south, east, north in boxes:
        result |= (
            (position[:, 0] >= west - grow) & (position[:, 0] <= east + grow)
            & (position[:, 1] >= south - grow) & (position[:, 1] <= north + grow)
        )  # fmt: skip
    return np.flatnonzero(result)


class Masks:
    """Draws the searched ground about a hypothesis; hypotheses that lie in one place share a drawing."""

    def __init__(self, searched: SearchedGround) -> None:
        self.searched = searched
        self.drawn: list[tuple[Box, float, Mask]] = []

    def around(self, box: Box, blur_m: float, find_m: float) -> Mask:
        """Return the mask of the ground inside a box."""
        if not len(self.searched.shapes):
            return NOTHING_SEARCHED
        for other, blur, mask in self.drawn:
            if blur == blur_m and all(abs(a - b) < 0.5 for a, b in zip(box, other, strict=True)):
                return mask
        self.drawn.append((box, blur_m, mask_of(self.searched, box, blur_m, find_m)))
        return self.drawn[-1][2]


def target_of(
    hypothesis: Hypothesis, facts: RecordFacts, row: Ints, near: Seen, odds: Floats, mask: Mask,
    degrees_of_freedom: float,
) -> Target:  # fmt: skip
    """Put a hypothesis and what was seen into the sampler's frame: metres from the hypothesis' centroid."""
    origin, u = hypothesis.centroid, hypothesis.pattern
    east, north = near.position[:, 0] - origin.real, near.position[:, 1] - origin.imag
    own = hypothesis.own_variance
    shared = np.clip(hypothesis.row_variance, 0.0, own - SMALLEST_VARIANCE_M2)
    return Target(
        pattern=np.column_stack([u.real, u.imag, own, facts.presence, shared, row]),
        finds=np.ascontiguousarray(np.column_stack([east, north, near.variance])),
        base=np.ascontiguousarray(odds * facts.presence / (2.0 * np.pi)),
        search=mask.about(origin),
        covariance=hypothesis.covariance,
        degrees_of_freedom=degrees_of_freedom,
    )
