"""Scores carry their card, and do not compare across cards."""

import copy
import dataclasses
import json
import pickle
import statistics

import numpy as np
import pytest

from kgen.metrics import Card, Score, append_scores, read_scores

CARD = Card("frechet_distance", samples=1000, reference="mnist5k", seeds={"samples": 0})


def test_a_score_is_a_float_with_a_card():
    score = Score(12.5, CARD, (12.0, 13.0), 0.25)
    assert score == 12.5 and isinstance(score, float) and score / 2 == 6.25
    assert f"{score:.2f}" == "12.50"
    assert str(score).startswith("frechet_distance 12.5 +- 0.25 (12 to 13)\n  samples 1,000; ")
    assert "reference mnist5k" in str(score) and "None" not in str(score)


def through_json(score):
    return Score.from_dict(json.loads(json.dumps(score.as_dict())))


def through_pickle(score):
    return pickle.loads(pickle.dumps(score))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, through_json, through_pickle])
def test_copies_keep_the_card(copied):
    score = copied(Score(12.5, CARD, (12.0, 13.0), 0.25))
    assert (score, score.card, score.interval, score.deviation) == (12.5, CARD, (12.0, 13.0), 0.25)


FIELDS = [f.name for f in dataclasses.fields(Card) if f.name not in ("seeds", "extractor")]


@pytest.mark.parametrize("field", FIELDS)
def test_unlike_cards_do_not_compare(field):
    changed = {"settings": {"neighbours": 3}}.get(field, "other")
    one, other = Score(1.0, CARD), Score(2.0, dataclasses.replace(CARD, **{field: changed}))
    for compare in (
        lambda: one < other, lambda: one <= other, lambda: one > other, lambda: one >= other,
        lambda: one == other, lambda: one != other, lambda: one - other, lambda: min(one, other),
        lambda: sorted([one, other]), lambda: one.difference(other),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=field):
            compare()
    assert one.difference(other, but_for=[field]) == -1.0


def test_other_seeds_are_another_draw_of_the_same():
    other = dataclasses.replace(CARD, seeds={"samples": 1}, extractor="functional_1")
    one, other = Score(1.0, CARD), Score(2.0, other)
    assert one < other and other - one == 1.0 and max(one, other) == 2.0


def test_plain_numbers_need_no_card():
    score = Score(1.0, CARD)
    assert score < 2.0 and score - 1 == 0.0 and 3.0 - score == 2.0


def test_the_mean_of_scores_is_a_number():
    scores = [Score(1.0, CARD), Score(2.0, CARD)]
    assert statistics.mean(scores) == sum(scores) / 2 == 1.5


def test_but_for_must_name_a_field():
    with pytest.raises(ValueError, match=r"but_for.*'sample'"):
        Score(1.0, CARD).difference(Score(1.0, CARD), but_for=["sample"])


def test_the_log_gives_back_what_it_was_given(tmp_path):
    path = tmp_path / "runs/scores.jsonl"
    scores = {"frechet": Score(1.5, CARD, (1.0, 2.0)), "psnr": Score(float("inf"), Card("psnr"))}
    append_scores(path, scores, round=50)
    append_scores(path, {"frechet": Score(1.25, CARD)}, round=100)
    found = read_scores(path)
    assert [(facts["name"], facts["round"], score) for facts, score in found] == [
        ("frechet", 50, 1.5),
        ("psnr", 50, float("inf")),
        ("frechet", 100, 1.25),
    ]
    assert found[0][1].card == CARD and found[0][1].interval == (1.0, 2.0)
    for line in path.read_text().splitlines():
        json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_a_cut_off_line_is_passed_over_and_another_refused(tmp_path):
    path = tmp_path / "scores.jsonl"
    append_scores(path, {"frechet": Score(1.5, CARD)})
    whole = path.read_text()
    path.write_text(whole + whole[:40])
    assert len(read_scores(path)) == 1
    path.write_text("{}\n" + whole)
    with pytest.raises(ValueError, match="line 1: expected a score"):
        read_scores(path)


@pytest.mark.parametrize(
    "tail, left",
    [
        ("a note of mine", "a note of mine\n"),
        ('{"mine": 1', '{"mine": 1\n'),
        ('{"name": "of another"}', '{"name": "of another"}\n'),
        ('{"name": "fre', ""),
        ("{", ""),
        ("whole\n", "whole\n"),
        ("", ""),
    ],
)
@pytest.mark.parametrize("before", ["", "a line\n"])
def test_of_a_file_only_a_score_that_was_cut_off_goes(tmp_path, before, tail, left):
    path = tmp_path / "notes.txt"
    path.write_text(before + tail)
    append_scores(path, {})
    assert path.read_text() == before + tail
    append_scores(path, {"frechet": Score(1.5, CARD)})
    added = path.read_text().removeprefix(before + left)
    assert json.loads(added)["value"] == 1.5 and added.endswith("}\n")


def test_a_score_is_added_after_a_line_that_was_cut_off(tmp_path):
    path = tmp_path / "scores.jsonl"
    append_scores(path, {"frechet": Score(1.5, CARD)}, round=np.int64(5))
    with path.open("a") as file:
        file.write('{"name": "fre')
    append_scores(path, {"frechet": Score(2.5, CARD)})
    assert [score for _, score in read_scores(path)] == [1.5, 2.5]
    assert read_scores(path)[0][0]["round"] == 5
