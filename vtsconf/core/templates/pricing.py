"""Puts a price on everything in a template that can be repeated, before it becomes code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.visitor import NodeTransformer


class Pricing(NodeTransformer):
    """Puts a price on everything that can be repeated, and on joining text."""

    def visit_For(self, node: nodes.For) -> Any:  # noqa: N802 - jinja2's naming
        if node.recursive:
            raise jinja2.TemplateSyntaxError("recursive loops are not offered", node.lineno)
        weight = nodes.Const(4 + _fixed_text(node), lineno=node.lineno)
        node.iter = _called("metered", [node.iter, weight], node.lineno)
        return self._visited(node)

    def visit_Concat(self, node: nodes.Concat) -> Any:  # noqa: N802 - jinja2's naming
        return self._visited(_called("joined", node.nodes, node.lineno))

    def visit_Macro(self, node: nodes.Macro) -> Any:  # noqa: N802 - jinja2's naming
        return self._priced(node)

    def visit_CallBlock(self, node: nodes.CallBlock) -> Any:  # noqa: N802 - jinja2's naming
        return self._priced(node)

    def visit_Block(self, node: nodes.Block) -> Any:  # noqa: N802 - jinja2's naming
        return self._priced(node)

    def visit_Template(self, node: nodes.Template) -> Any:  # noqa: N802 - jinja2's naming
        return self._priced(node)

    def _priced(self, node: Any) -> Any:
        price = _called("spend", [nodes.Const(1 + _fixed_text(node), lineno=node.lineno)], node.lineno)
        at = 1 if node.body and isinstance(node.body[0], nodes.Extends) else 0
        node.body.insert(at, nodes.ExprStmt(price, lineno=node.lineno))
        return self._visited(node)

    def _visited(self, node: Any) -> Any:
        return self.generic_visit(node)


def _called(name: str, arguments: Sequence[nodes.Node], line: int) -> nodes.Call:
    return nodes.Call(
        nodes.EnvironmentAttribute(name, lineno=line), list(arguments), [], None, None, lineno=line
    )


def _fixed_text(node: nodes.Node) -> int:
    return sum(len(text.data) for text in node.find_all(nodes.TemplateData))
