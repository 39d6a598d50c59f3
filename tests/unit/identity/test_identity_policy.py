"""The policy of identity: defaults, overrides, and one clear line for every wrong key."""

from pathlib import Path

import pytest

from kizuna.identity import policy
from kizuna.identity.policy import Policy, PolicyError
from kizuna.settings import PROJECT


@pytest.fixture
def write(tmp_path: Path):
    def _write(text: str) -> Path:
        file = tmp_path / "identity.yml"
        file.write_text(text, encoding="utf-8")
        return file

    return _write


def test_the_shipped_file_states_the_defaults() -> None:
    shipped = policy.load(PROJECT / "identity.yml")
    assert shipped == Policy()
    assert shipped.names == Policy().names


def test_an_empty_file_means_the_defaults(write) -> None:
    assert policy.load(write("# nothing decided yet\n")) == Policy()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kinds: {phone: {requires: luck}}", "kinds.phone.requires: Input should be 'nothing', 'nothing_against' or"),
        ("kinds: {phone: {requires: nothing}}", "kinds.phone.max_names: Field required"),
        ("kinds: {}", "kinds: Dictionary should have at least 1 item"),
        ("kinds: {Phone: {requires: nothing}}", "kinds.Phone.[key]: String should match pattern"),
        ("conflicts: {names: 1}", "conflicts.names: Input should be a valid boolean, found 1"),
        ("scored: {accept: 0.4}", "scored: expected review not above accept, found 0.5 and 0.4"),
        ("scored: {accept: 90}", "scored.accept: Input should be less than or equal to 1, found 90"),
        ("breaker: {most_merged_share: 0}", "breaker.most_merged_share: Input should be greater than 0, found 0"),
        ("blocked: {phone: {patterns: ['(']}}", "blocked.phone.patterns: expected regular expressions, '(' is none"),
        ("blocked: {fax: {exact: ['1']}}", "expected a kind of `kinds` (login, line, email, phone"),
        ("brands: {shopify: 1}", "brands.shopify: Input should be a valid string, found 1"),
        ("strength: 1", "strength: unknown key, expected one of docs/identity.md, found 1"),
        ("- a list", "expected `key: value` lines, found list"),
        ("a: [", "is not YAML"),
    ],
)
def test_a_wrong_key_or_value_is_named(write, text, expected) -> None:
    with pytest.raises(PolicyError, match=r"^identity\.yml") as caught:
        policy.load(write(text))
    assert expected in str(caught.value)


def test_all_wrong_keys_are_told_at_once(write) -> None:
    with pytest.raises(PolicyError) as caught:
        policy.load(write("conflicts: 1\nscored: 1\nunknown: 1\n"))
    assert len(str(caught.value).splitlines()) == 3


def test_a_missing_file_says_how_to_name_one(tmp_path) -> None:
    with pytest.raises(PolicyError, match="KIZUNA_IDENTITY_POLICY"):
        policy.load(tmp_path / "absent.yml")


def test_the_environment_names_another_file(write, monkeypatch) -> None:
    monkeypatch.setenv("KIZUNA_IDENTITY_POLICY", str(write("conflicts: {names: false}")))
    assert not policy.load().conflicts.names


def test_the_digest_changes_with_any_rule_and_with_the_order_of_strength(write) -> None:
    assert Policy().digest() == policy.load(write("")).digest()
    assert Policy().digest() != policy.load(write("conflicts: {names: false}")).digest()
    turned = Policy(kinds=dict(reversed(Policy().kinds.items())))
    assert Policy().digest() != turned.digest()


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("phone", "0000000000"),
        ("phone", "09000000000"),
        ("phone", "0311111111"),
        ("phone", "09012345678"),
        ("phone", "0120123456"),
        ("email", "noreply@example.jp"),
        ("email", "no-reply@example.jp"),
        ("email", "abc123@marketplace.amazon.co.jp"),
        ("email", "abc123@pc.fw.rakuten.ne.jp"),
        ("name_birth", "佐藤太郎|1900-01-01"),
    ],
)
def test_japanese_placeholders_are_blocked(kind, value) -> None:
    assert Policy().is_blocked(kind, value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("phone", "09012345679"),
        ("phone", "0312345679"),
        ("phone", "0333334444"),
        ("email", "noreplyfan@example.jp"),
        ("email", "taro@privaterelay.appleid.com"),
        ("name_birth", "佐藤太郎|1980-02-01"),
        ("line", "0000000000"),
    ],
)
def test_a_person_s_values_are_not_blocked(kind, value) -> None:
    assert not Policy().is_blocked(kind, value)


def test_a_source_without_a_brand_of_its_own_belongs_to_the_default_brand(write) -> None:
    loaded = policy.load(write("brands: {shopify_second: second}"))
    assert (loaded.brand("shopify_second"), loaded.brand("shopify")) == ("second", "main")


def test_other_code_is_another_rule_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = policy.load().digest()
    monkeypatch.setattr(policy, "_digest_of_code", lambda: "another")
    assert policy.load().digest() != before


def test_a_kept_policy_is_read_back_as_it_was() -> None:
    loaded = policy.load()
    assert policy.known(loaded.model_dump(mode="json")).digest() == loaded.digest()
