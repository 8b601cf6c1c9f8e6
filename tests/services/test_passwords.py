"""Which new passwords are refused, and that good ones are not (ACT-2)."""

from __future__ import annotations

import time

import pytest

from app.errors import DomainError
from app.services import passwords


@pytest.mark.spec("ACT-2")
@pytest.mark.parametrize(
    "weak",
    [
        "motdepasse1234",
        "MotDePasse2026!",
        "azertyuiop123",
        "Azerty202612!",
        "tunisie123456",
        "Tunisie-2027!!",
        "TunTrust2026!",
        "P@ssw0rd20261!",
        "Password-Password",
        "qwertyuiop1234",
        "1qaz2wsx3edc",
        "123456789012",
        "987654321098",
        "abcdefghijklmn",
        "aaaaaaaaaaaa",
        "ababababab12" * 2,
        "abcabcabcabc",
        "!!!!iloveyou!!!!",
        "Administrateur1",
    ],
)
def test_breached_and_obvious_passwords_are_refused(app, weak):
    with pytest.raises(DomainError) as refusal:
        passwords.check_new_password(weak)
    assert refusal.value.field == "password"
    assert "pirates" in str(refusal.value)


@pytest.mark.spec("ACT-2")
@pytest.mark.parametrize(
    "good",
    [
        "quatre olives sous la table",
        "Jasmin-Bleu-Tramway-Sel",
        "x7Kp-93Qm-Lt2v-Zr8w",
        "شجرة الزيتون في الحديقة",
        "pluie1Sousse2train3",
        "Demo-Ecert-2026",
    ],
)
def test_a_phrase_of_a_few_words_is_accepted(app, good):
    passwords.check_new_password(good, about=("sonia.gharbi@exemple.tn", "Sonia", "Gharbi"))


@pytest.mark.spec("ACT-2")
@pytest.mark.parametrize("length", [0, 1, 11])
def test_fewer_than_twelve_characters_are_refused_whatever_they_are(app, length):
    with pytest.raises(DomainError, match="12 caractères"):
        passwords.check_new_password("xK9!mQ2@vB7#"[:length])


def test_twelve_characters_are_enough_and_more_than_256_are_too_many(app):
    passwords.check_new_password("xK9!mQ2@vB7#")
    passwords.check_new_password("xK9!mQ2@vB7#" * 21 + "abcd")
    with pytest.raises(DomainError, match="256"):
        passwords.check_new_password("xK9!mQ2@vB7#" * 21 + "abcde")


@pytest.mark.parametrize("close", ["soniagharbi26", "Sonia.Gharbi2026", "SONIA-GHARBI-1"])
def test_the_person_s_own_name_is_refused(app, close):
    with pytest.raises(DomainError, match="ressemble trop"):
        passwords.check_new_password(close, about=("sonia.gharbi@exemple.tn", "Sonia", "Gharbi"))


def test_temporary_passwords_differ_and_avoid_look_alikes(app):
    made = {passwords.new_temporary_password() for _i in range(200)}
    assert len(made) == 200
    assert not set("".join(made)) & set("0O1lI")


@pytest.mark.spec("LOG-2", "APP-1")
def test_a_temporary_password_s_quick_hash_takes_a_login_as_long_as_a_slow_one(app):
    temporary, chosen = passwords.new_temporary_password(), "une phrase de quelques mots"
    quick, slow = passwords.hash_temporary_password(temporary), passwords.hash_password(chosen)
    assert quick.startswith("$argon2id$")
    assert passwords.verify_password(quick, temporary)
    assert not passwords.verify_password(quick, chosen)

    def cost(stored: str | None) -> float:
        taken = []
        for _n in range(3):
            begun = time.process_time()
            passwords.verify_password(stored, chosen)
            taken.append(time.process_time() - begun)
        return min(taken)

    assert min(cost(quick), cost(None)) > cost(slow) / 2
