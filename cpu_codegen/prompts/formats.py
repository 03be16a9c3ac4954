"""Chat formats of models whose GGUF carries no template, by the name that models.yaml gives (`prompt_format`).

Covered: the formats of the survey's 2023 models, written as Jinja templates like those in GGUF metadata. Not covered: anything
a file's own template says; that always wins.
"""

from __future__ import annotations

_CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}[INST] {{ m['content'] }} [/INST]"
    "{% else %} {{ m['content'] }}{{ eos_token }}{% endif %}{% endfor %}"
)
_ZEPHYR = (
    "{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] }}{{ eos_token }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
_PHI2 = (
    "{% for m in messages %}{% if m['role'] == 'user' %}Instruct: {{ m['content'] }}\n"
    "{% else %}Output: {{ m['content'] }}\n{% endif %}{% endfor %}{% if add_generation_prompt %}Output:{% endif %}"
)
_ALPACA = (
    "{% for m in messages %}{% if m['role'] == 'user' %}### Instruction:\n{{ m['content'] }}\n\n"
    "{% else %}### Response:\n{{ m['content'] }}\n\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}### Response:\n{% endif %}"
)
_MINICPM = (
    "{% for m in messages %}{% if m['role'] == 'user' %}<用户>{{ m['content'] }}<AI>"
    "{% else %}{{ m['content'] }}{% endif %}{% endfor %}"
)

PROMPT_FORMATS: dict[str, str] = {
    "chatml": _CHATML,
    "mistral": _MISTRAL,
    "llama-2": _MISTRAL,  # the same tags when there is no system text, and we send none
    "zephyr": _ZEPHYR,
    "phi-2": _PHI2,
    "alpaca": _ALPACA,
    "minicpm": _MINICPM,
}
