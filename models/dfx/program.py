"""What one board executes for one token: DFX's instructions in the order of its program.

`compute` instructions are matrix ones (conv1d is Ax + b; masked_mm is QK^T with mask and row
maximum; mm is S V and the output head) and vector ones; LayerNorm and softmax are sequences of
these. `dma` instructions move between memory and the core, `router` ones gather over the ring.
Values come before keys and queries, as [walkthrough] says; what it leaves open is [derived]: heads
follow one another, biases are read before the matrix they belong to, a token's values and keys
are written one matrix later, when they are there.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Literal

from .config import GIVEN

Queue = Literal["compute", "dma", "router"]
ELEMENT = int(GIVEN("element_size"))
MATRIX = ("conv1d", "masked_mm", "mm")


@dataclass(frozen=True)
class Instruction:
    """One instruction: what it reads and makes, and how much of it."""

    queue: Queue
    kind: str
    target: str
    sources: tuple[str, ...]
    rows: int = 0
    """Inputs of a matrix on this board."""
    columns: int = 0
    """Outputs of a matrix on this board; elements of a vector; elements that are moved."""
    then: str = ""
    """What follows a matrix product in its unit: gelu, or the maximum of its outputs."""
    part: tuple[int, int] = (0, 1)
    """Which of how many equal parts of its first source it reads: a head of all queries."""


@dataclass(frozen=True)
class Task:
    """One token's work: a network, the boards that share it, and the tokens it attends to."""

    layers: int
    width: int
    heads: int
    head_dim: int
    vocab: int
    boards: int
    context: int
    heads_ahead: int = 0

    def shared(self, columns: int) -> int:
        """Columns of one board."""
        return math.ceil(columns / self.boards)


@dataclass
class Program:
    """A list of instructions in the making, for one board."""

    task: Task
    instructions: list[Instruction] = field(default_factory=list)

    def vector(self, kind: str, target: str, *sources: str, size: int = 1) -> str:
        """A vector instruction; of one element, if no size is given."""
        self.instructions.append(Instruction("compute", kind, target, sources, columns=size))
        return target

    def move(self, kind: str, target: str, *sources: str, size: int) -> str:
        """A transfer between memory and core."""
        self.instructions.append(Instruction("dma", kind, target, sources, columns=size))
        return target

    def matrix(self, found: Instruction, *held: str) -> str:
        """A matrix instruction behind the stream of its weights, or of keys or values.

        Args:
            found: the instruction; its stream, and its bias if it has one, become sources.
            held: what must be in memory before it can be read.
        """
        inputs, target = list(found.sources), found.target
        if found.kind == "conv1d":
            inputs.append(self.move("read_ddr", f"{target}.bias", size=found.columns))
        stream = Instruction(
            "dma", "read_hbm", f"{target}.stream", held, found.rows, found.columns
        )
        inputs.append(stream.target)
        self.instructions += [stream, replace(found, sources=tuple(inputs))]
        return target

    def conv(self, target: str, source: str, rows: int, columns: int, then: str = "") -> str:
        """A matrix of weights, with its bias."""
        return self.matrix(
            Instruction("compute", "conv1d", target, (source,), rows, columns, then)
        )

    def gather(self, source: str, *, size: int) -> str:
        """The complete vector out of every board's share of it; nothing on a single board."""
        if self.task.boards == 1:
            return source
        target = f"{source}.whole"
        self.instructions.append(
            Instruction("router", "all_gather", target, (source,), columns=size)
        )
        return target

    def norm(self, name: str, x: str) -> str:
        """LayerNorm of a whole vector, on every board."""
        n, at = self.task.width, f"{name}."
        gain = self.move("read_ddr", f"{at}gain", size=n)
        shift = self.move("read_ddr", f"{at}shift", size=n)
        total = self.vector("accum", f"{at}sum", x, size=n)
        mean = self.vector("mul", f"{at}mean", total)
        away = self.vector("sub", f"{at}away", x, mean, size=n)
        square = self.vector("mul", f"{at}square", away, away, size=n)
        squares = self.vector("accum", f"{at}squares", square, size=n)
        variance = self.vector("mul", f"{at}variance", squares)
        guarded = self.vector("add", f"{at}guarded", variance)
        root = self.vector("recip_sqrt", f"{at}root", guarded)
        unit = self.vector("mul", f"{at}unit", away, root, size=n)
        scaled = self.vector("mul", f"{at}scaled", unit, gain, size=n)
        return self.vector("add", name, scaled, shift, size=n)

    def softmax(self, name: str, scores: str) -> str:
        """Shares of one head, behind the row maximum that its scores came with."""
        n, at = self.task.context, f"{name}."
        less = self.vector("sub", f"{at}less", scores, f"{scores}.max", size=n)
        raised = self.vector("exp", f"{at}raised", less, size=n)
        total = self.vector("accum", f"{at}sum", raised, size=n)
        inverse = self.vector("recip", f"{at}inverse", total)
        return self.vector("mul", name, raised, inverse, size=n)

    def attention(self, at: str, a: str) -> str:
        """Outputs of this board's heads, from the normed vector."""
        task = self.task
        rows, columns = task.width, task.shared(task.heads * task.head_dim)
        value = self.conv(f"{at}value", a, rows, columns)
        key = self.conv(f"{at}key", a, rows, columns)
        values = self.move("write_transposed", f"{at}values", value, size=columns)
        query = self.conv(f"{at}query", a, rows, columns)
        keys = self.move("write", f"{at}keys", key, size=columns)
        heads, ahead, outputs = task.shared(task.heads), task.heads_ahead, f"{at}heads"
        for turn in range(heads + ahead):
            if turn < heads:
                self._scores(f"{at}scores.{turn}", query, keys, turn)
            if turn >= ahead:
                head = turn - ahead
                shares = self.softmax(f"{at}shares.{head}", f"{at}scores.{head}")
                sizes = (task.context, task.head_dim)
                self.matrix(Instruction("compute", "mm", outputs, (shares,), *sizes), values)
        return outputs

    def _scores(self, target: str, query: str, keys: str, head: int) -> None:
        task = self.task
        sizes, part = (task.head_dim, task.context), (head, task.shared(task.heads))
        found = Instruction("compute", "masked_mm", target, (query,), *sizes, "max", part)
        self.matrix(found, keys)

    def layer(self, index: int, x: str) -> str:
        """One decoder layer: four gathers, two residuals."""
        task, at = self.task, f"{index}."
        e, narrow, wide = task.width, task.shared(task.width), task.shared(4 * task.width)
        inner = task.heads * task.head_dim
        heads = self.attention(at, self.norm(f"{at}norm.1", x))
        made = self.conv(f"{at}projection", self.gather(heads, size=inner), inner, narrow)
        x = self.vector("add", f"{at}middle", x, self.gather(made, size=e), size=e)
        made = self.conv(f"{at}expand", self.norm(f"{at}norm.2", x), e, wide, "gelu")
        hidden = self.gather(made, size=4 * e)
        made = self.conv(f"{at}contract", hidden, 4 * e, narrow)
        return self.vector("add", f"{at}end", x, self.gather(made, size=e), size=e)


def token(task: Task) -> list[Instruction]:
    """All instructions of one board for one token, from its embedding to the next token."""
    program, e = Program(task), task.width
    word = program.move("read_ddr", "word", size=e)
    place = program.move("read_ddr", "place", size=e)
    x = program.vector("add", "start", word, place, size=e)
    for index in range(task.layers):
        x = program.layer(index, x)
    x, columns = program.norm("norm", x), task.shared(task.vocab)
    program.matrix(Instruction("compute", "mm", "logits", (x,), e, columns, "max"))
    program.gather("logits.max", size=2 * task.boards)
    return program.instructions
