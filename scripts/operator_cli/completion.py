"""`wr completion`: scripts that let a shell complete `wr`, made from the parser, so that they know every command.

A script knows which commands have been typed (`wr zones`), and what may follow there: actions, options and choices.
Anything else is a file's name or left to the operator.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from .answers import Answer
from .arguments import Command, Commands


@dataclass(frozen=True)
class Word:
    """A word that may follow, and what it means; `takes_value` for options that do."""

    text: str
    means: str = ""
    takes_value: bool = False


Words = Mapping[str, list[Word]]
"""What may follow, by the commands typed so far (`wr zones apply`)."""


def add_commands(found: Commands[Command], parser: argparse.ArgumentParser) -> None:
    """The arguments of `wr completion`, which completes what `parser` reads."""
    completion = found.add_parser(
        "completion",
        help="a script that lets your shell complete wr",
        description='Print a script for a shell. bash: eval "$(wr completion bash)" in ~/.bashrc. zsh: the same with '
        "zsh in ~/.zshrc, after compinit. fish: wr completion fish > ~/.config/fish/completions/wr.fish",
    )
    completion.add_argument("shell", metavar="SHELL", choices=SHELLS, help=", ".join(SHELLS))

    def answer(arguments: argparse.Namespace) -> Answer:
        script = SHELLS[arguments.shell](dict(words(parser)))
        return Answer({"shell": arguments.shell, "script": script}, [script])

    completion.set_defaults(alone=answer)


def words(parser: argparse.ArgumentParser, typed: str = "wr") -> Iterator[tuple[str, list[Word]]]:
    """Every command with what may follow it."""
    may_follow: list[Word] = []
    below: dict[str, argparse.ArgumentParser] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            below = action.choices
            may_follow += [Word(each.dest, each.help or "") for each in action._choices_actions]
        elif action.option_strings:
            means = "" if action.help in (None, argparse.SUPPRESS) else action.help
            may_follow += [
                Word(name, means or "", action.nargs != 0) for name in action.option_strings if name.startswith("--")
            ]
        elif action.choices:
            may_follow += [Word(str(choice)) for choice in action.choices]
    yield typed, may_follow
    for name, command in below.items():
        yield from words(command, f"{typed} {name}")


def bash(known: Words) -> str:
    """Complete in bash."""
    commands = "|".join(shlex.quote(typed) for typed in known if typed != "wr")
    cases = "\n".join(
        f"    {shlex.quote(typed)}) words={shlex.quote(' '.join(word.text for word in follow))} ;;"
        for typed, follow in known.items()
    )
    return f"""\
_wr() {{
  local typed=wr words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$typed ${{COMP_WORDS[i]}}" in
    {commands}) typed="$typed ${{COMP_WORDS[i]}}" ;;
    esac
  done
  case "$typed" in
{cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _wr wr"""


def zsh(known: Words) -> str:
    """Complete in zsh, which can do what bash does."""
    return f"autoload -U +X bashcompinit && bashcompinit\n{bash(known)}"


def fish(known: Words) -> str:
    """Complete in fish, with what each word means."""
    lines = [
        "function __wr_typed",
        "  set -l typed wr",
        "  for word in (commandline -opc)[2..-1]",
        f'    if contains -- "$typed $word" {" ".join(map(_fish_text, known))}',
        '      set typed "$typed $word"',
        "    end",
        "  end",
        '  test "$typed" = "$argv[1]"',
        "end",
    ]
    for typed, follow in known.items():
        at = f"complete -c wr -n {_fish_text(f'__wr_typed {_fish_text(typed)}')}"
        for word in follow:
            what = f"-l {word.text[2:]}" if word.text.startswith("--") else f"-a {_fish_text(word.text)}"
            value = " -r" if word.takes_value else ""
            lines.append(f"{at} {what}{value} -d {_fish_text(word.means)}")
    return "\n".join(lines)


def _fish_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


SHELLS: Mapping[str, Callable[[Words], str]] = {"bash": bash, "zsh": zsh, "fish": fish}
