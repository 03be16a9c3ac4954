"""Which beginnings are shared: each prefix is found once, and never the last token of a prompt."""

from __future__ import annotations

import random

from cpu_codegen.engine.prefixes import share


def spans(prompts: list[list[int]], min_span: int = 3) -> list[list[tuple[int, int, int]]]:
    """(start, end, users) along each chain."""
    sharing = share(prompts, min_span=min_span)
    return [[(p.start, p.end, p.users) for p in chain] for chain in sharing.chains]


def test_a_common_beginning_belongs_to_all() -> None:
    """Prompts with one beginning share it; what follows is their own."""
    assert spans([[1, 2, 3, 4, 5], [1, 2, 3, 9], [1, 2, 3, 7, 7]]) == [[(0, 3, 3)]] * 3


def test_samples_of_one_prompt_share_all_but_its_last_token() -> None:
    """The last token's logits belong to each sample."""
    assert spans([[1, 2, 3, 4, 5]] * 4) == [[(0, 4, 4)]] * 4


def test_prefixes_nest() -> None:
    """Two styles with a common system text: three prefixes, each decoded once."""
    a, b = [1, 1, 1, 2, 2, 2], [1, 1, 1, 3, 3, 3]
    found = spans([[*a, 8], [*a, 9], [*b, 8], [*b, 9]])
    assert found == [[(0, 3, 4), (3, 6, 2)]] * 2 + [[(0, 3, 4), (3, 6, 2)]] * 2


def test_short_beginnings_are_not_worth_a_holder() -> None:
    """Below the least span nothing is shared."""
    assert spans([[1, 2, 3, 4], [1, 2, 9, 9]]) == [[], []]


def test_one_prompt_that_begins_another_is_shared_up_to_its_last_token() -> None:
    """A prompt may be the beginning of a longer one."""
    assert spans([[1, 2, 3, 4], [1, 2, 3, 4, 5, 6]]) == [[(0, 3, 2)], [(0, 3, 2)]]


def test_every_chain_spells_its_own_prompt() -> None:
    """Whatever the prompts, a chain's tokens are the beginning of its prompt, without gap, and users are counted right."""
    draw = random.Random(5)
    for _ in range(200):
        prompts = [[draw.randrange(2) for _ in range(draw.randrange(1, 12))] for _ in range(draw.randrange(1, 12))]
        sharing = share(prompts, min_span=2)
        counted: dict[int, int] = {}
        for prompt, chain in zip(prompts, sharing.chains, strict=True):
            spelled = [token for prefix in chain for token in prefix.tokens]
            assert spelled == prompt[: len(spelled)]
            assert len(spelled) < len(prompt)
            for prefix, parent in zip(chain, [None, *chain], strict=False):
                assert prefix.parent is parent
                counted[id(prefix)] = counted.get(id(prefix), 0) + 1
        assert all(prefix.users == counted[id(prefix)] for prefix in sharing.prefixes)
