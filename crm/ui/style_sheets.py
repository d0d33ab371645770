"""CSS that people write (of the portal, of surveys), without anything that loads, runs or reaches beyond this site."""

import re

import tinycss2
from tinycss2.ast import AtRule, Declaration, FunctionBlock, ParseError, QualifiedRule, URLToken

from crm.words import _

KEPT_AT_RULES = {"media", "supports"}
LOCAL = re.compile(r"/i/[\w.-]+|data:image/(png|gif|jpeg|webp);base64,[\w+/=]*").fullmatch
ACTIVE = {"expression", "behavior", "-moz-binding"}
NESTED = 4


def cleaned(source: str, scope: str = "") -> tuple[str, list[str]]:
    """The rules of `source` that may be used, and a sentence for each one that was left out.

    `scope`: a selector that all of them are held below, such as ".survey".
    """
    removed: list[str] = []
    kept = _rules(tinycss2.parse_stylesheet(source, skip_comments=True, skip_whitespace=True), removed, 0, scope)
    return kept.replace("</", "<\\/"), removed


def _rules(nodes: list[object], removed: list[str], depth: int, scope: str) -> str:
    parts = []
    for node in nodes:
        if isinstance(node, QualifiedRule):
            declared = _declarations(node, removed)
            if declared:
                parts.append(f"{_scoped(node.prelude, scope)} {{ {declared} }}")
        elif isinstance(node, AtRule):
            name = node.lower_at_keyword
            if name not in KEPT_AT_RULES or node.content is None or depth >= NESTED:
                removed.append(_("Line %(line)s: @%(name)s is left out.", line=node.source_line, name=name))
                continue
            inner = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
            parts.append(
                f"@{name} {tinycss2.serialize(node.prelude).strip()} {{\n{_rules(inner, removed, depth + 1, scope)}\n}}"
            )
        elif isinstance(node, ParseError):
            removed.append(_("Line %(line)s: %(message)s.", line=node.source_line, message=node.message))
    return "\n".join(parts)


def _scoped(prelude: list[object], scope: str) -> str:
    """The selectors of a rule, each below `scope`; one that names the scope itself or the page means the scope."""
    if not scope:
        return str(tinycss2.serialize(prelude).strip())
    groups: list[list[object]] = [[]]
    for token in prelude:
        if getattr(token, "type", "") == "literal" and token.value == ",":  # type: ignore[attr-defined]
            groups.append([])
        else:
            groups[-1].append(token)
    found = []
    for said in (tinycss2.serialize(group).strip() for group in groups):
        is_whole = said in {"body", "html", ":root", scope}
        found.append(scope if is_whole else said if said.startswith(f"{scope} ") else f"{scope} {said}")
    return ", ".join(found)


def _declarations(rule: QualifiedRule, removed: list[str]) -> str:
    parts = []
    for node in tinycss2.parse_blocks_contents(rule.content, skip_comments=True, skip_whitespace=True):
        if isinstance(node, Declaration):
            if node.lower_name in ACTIVE or not _is_harmless(node.value):
                removed.append(
                    _(
                        "Line %(line)s: “%(name)s” is left out; addresses lead to pictures of this site only.",
                        line=node.source_line,
                        name=node.name,
                    )
                )
            else:
                bang = " !important" if node.important else ""
                parts.append(f"{node.name}: {tinycss2.serialize(node.value).strip()}{bang};")
        elif isinstance(node, ParseError):
            removed.append(_("Line %(line)s: %(message)s.", line=node.source_line, message=node.message))
        else:
            removed.append(_("Line %(line)s: rules inside of rules are left out.", line=node.source_line))
    return " ".join(parts)


def _is_harmless(tokens: list[object]) -> bool:
    for token in tokens:
        if isinstance(token, URLToken) and not LOCAL(token.value):
            return False
        if isinstance(token, FunctionBlock):
            if token.lower_name in ACTIVE or token.lower_name in {"image-set", "-webkit-image-set", "src"}:
                return False
            if token.lower_name == "url":
                said = "".join(one.value for one in token.arguments if one.type == "string")
                if not LOCAL(said):
                    return False
            if not _is_harmless(token.arguments):
                return False
        inner = getattr(token, "content", None)
        if isinstance(inner, list) and not _is_harmless(inner):
            return False
    return True
