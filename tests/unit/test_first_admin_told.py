"""The last line of ``bazar up``: how to sign in, and never a password that nobody was shown."""

from bazar.cli.up import _how_to_sign_in


def test_a_new_admin_is_shown_with_its_password() -> None:
    told = _how_to_sign_in(0, '{"email": "admin@localhost", "password": "abcde-fghij"}')
    assert told == "Sign in as admin@localhost with the password abcde-fghij (it is shown only now)"


def test_an_admin_of_an_earlier_start_is_referred_to() -> None:
    assert "that the first start showed" in _how_to_sign_in(0, "")


def test_an_admin_that_could_not_be_made_is_not_referred_to() -> None:
    told = _how_to_sign_in(1, "")
    assert "No first admin could be made" in told
    assert "showed" not in told
