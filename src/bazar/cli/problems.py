"""What a command says when it cannot go on: one line for a person, and no stack trace."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click

from bazar.settings import BadSetting, Settings


def settings() -> Settings:
    """From the environment; ends the command with what is wrong."""
    try:
        return Settings.from_environment(os.environ)
    except BadSetting as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def told_plainly(*expected: type[Exception]) -> Iterator[None]:
    """Turn these errors, and what the operating system refuses, into one line and exit status 1."""
    try:
        yield
    except expected + (OSError,) as error:  # noqa: RUF005 - mypy reads a sum of tuples, and no tuple with a star
        raise click.ClickException(" ".join(str(error).split())) from error
