"""ggml's tensor types with their block sizes, and llama.cpp's names of file types. Numbers as in ggml 0.25 (llama.cpp 0.5).

A new type of a later llama.cpp is no error here: the reader takes its size from the tensors' offsets.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TensorType:
    """`block_values` numbers are stored together in `block_bytes` bytes. 0 bytes = llama.cpp no longer reads it."""

    name: str
    block_values: int
    block_bytes: int

    @property
    def bits_per_value(self) -> float:
        """Storage per number, scales included."""
        return 8 * self.block_bytes / self.block_values


def _type(name: str, block_values: int = 0, block_bytes: int = 0) -> TensorType:
    return TensorType(name, block_values or 1, block_bytes)


TENSOR_TYPES: dict[int, TensorType] = {
    0: _type("f32", 1, 4),
    1: _type("f16", 1, 2),
    2: _type("q4_0", 32, 18),
    3: _type("q4_1", 32, 20),
    4: _type("q4_2 (removed)"),
    5: _type("q4_3 (removed)"),
    6: _type("q5_0", 32, 22),
    7: _type("q5_1", 32, 24),
    8: _type("q8_0", 32, 34),
    9: _type("q8_1", 32, 36),
    10: _type("q2_k", 256, 84),
    11: _type("q3_k", 256, 110),
    12: _type("q4_k", 256, 144),
    13: _type("q5_k", 256, 176),
    14: _type("q6_k", 256, 210),
    15: _type("q8_k", 256, 292),
    16: _type("iq2_xxs", 256, 66),
    17: _type("iq2_xs", 256, 74),
    18: _type("iq3_xxs", 256, 98),
    19: _type("iq1_s", 256, 50),
    20: _type("iq4_nl", 32, 18),
    21: _type("iq3_s", 256, 110),
    22: _type("iq2_s", 256, 82),
    23: _type("iq4_xs", 256, 136),
    24: _type("i8", 1, 1),
    25: _type("i16", 1, 2),
    26: _type("i32", 1, 4),
    27: _type("i64", 1, 8),
    28: _type("f64", 1, 8),
    29: _type("iq1_m", 256, 56),
    30: _type("bf16", 1, 2),
    31: _type("q4_0_4_4 (removed)"),
    32: _type("q4_0_4_8 (removed)"),
    33: _type("q4_0_8_8 (removed)"),
    34: _type("tq1_0", 256, 54),
    35: _type("tq2_0", 256, 66),
    36: _type("iq4_nl_4_4 (removed)"),
    37: _type("iq4_nl_4_8 (removed)"),
    38: _type("iq4_nl_8_8 (removed)"),
    39: _type("mxfp4", 32, 17),
    40: _type("nvfp4", 64, 36),
    41: _type("q1_0", 128, 18),
    42: _type("q2_0", 64, 18),
}

TYPES_BY_NAME: dict[str, TensorType] = {kind.name: kind for kind in TENSOR_TYPES.values() if kind.block_bytes}

# general.file_type: what most tensors are; a mix (…_K_M) says nothing exact about any one tensor
FILE_TYPES: dict[int, str] = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    10: "Q2_K",
    11: "Q3_K_S",
    12: "Q3_K_M",
    13: "Q3_K_L",
    14: "Q4_K_S",
    15: "Q4_K_M",
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
    19: "IQ2_XXS",
    20: "IQ2_XS",
    21: "Q2_K_S",
    22: "IQ3_XS",
    23: "IQ3_XXS",
    24: "IQ1_S",
    25: "IQ4_NL",
    26: "IQ3_S",
    27: "IQ3_M",
    28: "IQ2_S",
    29: "IQ2_M",
    30: "IQ4_XS",
    31: "IQ1_M",
    32: "BF16",
    36: "TQ1_0",
    37: "TQ2_0",
    38: "MXFP4_MOE",
    39: "NVFP4",
    40: "Q1_0",
    41: "Q2_0",
}
