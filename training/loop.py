"""What both trainings share: fixed seeds, padded shapes, a schedule, checkpoints to go on from."""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

logger = logging.getLogger(__name__)

SEED: Final = 20_261_201
SHAPE_STEP: Final = 16  # lengths are padded to multiples of this: a new shape costs more than the sums
CHECKPOINT_SECONDS: Final = 600
HEAD_RATE: Final = 5.0
WARM_UP: Final = 0.06  # of the steps

Row = TypeVar("Row")


def batches(rows: Sequence[Row], size: int, length: Callable[[Row], int], seed: int) -> list[list[Row]]:
    """Shuffled batches of rows of about one length, so that little is padded."""
    order = random.Random(seed)
    shuffled = list(rows)
    order.shuffle(shuffled)
    made: list[list[Row]] = []
    for start in range(0, len(shuffled), 16 * size):
        pool = sorted(shuffled[start : start + 16 * size], key=length)
        made += [pool[first : first + size] for first in range(0, len(pool), size)]
    order.shuffle(made)
    return made


def padded(length: int, longest: int) -> int:
    """A length to pad to."""
    return min(longest, -(-length // SHAPE_STEP) * SHAPE_STEP)


def freeze(bert: Any, layers: int) -> None:
    """Keep the embeddings and the lowest layers as they are: they know the words, and learning them costs a third more."""
    for part in (bert.embeddings, *bert.encoder.layer[:layers]):
        part.requires_grad_(requires_grad=False)


def fit(
    module: Any,
    steps: Sequence[Row],
    loss_of: Callable[[Row], Any],
    *,
    rate: float,
    checkpoint: Path,
    heads: Sequence[Any] = (),
    every: int = 10,
) -> None:
    """AdamW with a linear decay over the steps; goes on from the checkpoint if one is there.

    `heads` are the parts that begin from nothing: they learn HEAD_RATE times as fast.
    """
    import torch

    parameters = [each for each in module.parameters() if each.requires_grad]
    new = {id(each) for head in heads for each in head.parameters()}
    grown: list[dict[str, Any]] = [
        {"params": [each for each in parameters if id(each) not in new]},
        {"params": [each for each in parameters if id(each) in new], "lr": HEAD_RATE * rate},
    ]
    optimiser = torch.optim.AdamW([each for each in grown if each["params"]], lr=rate, weight_decay=0.01)
    warm = max(1, round(WARM_UP * len(steps)))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / warm, max(0.0, (len(steps) - step) / (len(steps) - warm)))
    )
    half = torch.cpu._is_avx512_bf16_supported()  # elsewhere it is emulated, and slower than float32
    done = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        module.load_state_dict(state["module"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        done = state["done"]
    started = saved = time.monotonic()
    running = 0.0
    module.train()
    for number in range(done, len(steps)):
        torch.manual_seed(SEED + number)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            loss = loss_of(steps[number])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad(set_to_none=True)
        value = float(loss.detach())
        running = value if math.isnan(running) or not running else 0.98 * running + 0.02 * value
        if number % every == 0:
            spent = time.monotonic() - started
            logger.info("step %d of %d, loss %.4f, %.0f s", number, len(steps), running, spent)
        if time.monotonic() - saved > CHECKPOINT_SECONDS or number + 1 == len(steps):
            saved = time.monotonic()
            state = {
                "module": module.state_dict(),
                "optimiser": optimiser.state_dict(),
                "schedule": schedule.state_dict(),
                "done": number + 1,
            }
            torch.save(state, checkpoint)
    module.eval()
