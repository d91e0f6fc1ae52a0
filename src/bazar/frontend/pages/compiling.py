"""How templates are compiled: what is the same at each rendering is done before the first."""

# ruff: noqa: N802 - visitors are named after Jinja's nodes

from collections.abc import Callable

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.visitor import NodeTransformer
from markupsafe import Markup


class ShopCodeGenerator(CodeGenerator):
    """Makes a text without values, ``_("Basket")``, a part of the template, and calls our own functions directly.

    So a compiled template is of one language; a text that cannot be formatted fails all of its template.
    """

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:
        """The whole template."""
        text: Callable[[str], Markup] = self.environment.globals["_"]  # type: ignore[assignment]  # wording's
        _Said(text).visit(node)
        super().visit_Template(node, frame)

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        """Past ``Context.call``, where that does nothing: it costs more than most of what is called."""
        if forward_caller or not isinstance(node.node, nodes.Name) or not self._is_plain(node.node.name):
            super().visit_Call(node, frame, forward_caller=forward_caller)
            return
        self.visit(node.node, frame)
        self.write("(*()")  # the signature begins with a comma
        self.signature(node, frame)
        self.write(")")

    def _is_plain(self, name: str) -> bool:
        """Whether the templates' global of this name wants nothing but its arguments."""
        function = self.environment.globals.get(name)
        # By this attribute pass_context and its like mark a function, or the method that makes an object one.
        return callable(function) and not any(hasattr(it, "jinja_pass_arg") for it in (function, function.__call__))


class _Said(NodeTransformer):
    """Puts what is said in the place of each call that says it."""

    def __init__(self, text: Callable[[str], Markup]) -> None:
        self._text = text

    def visit_Call(self, node: nodes.Call) -> nodes.Node:
        match node:
            case nodes.Call(
                node=nodes.Name(name="_" | "gettext"),  # the latter stands for {% trans %}
                args=[nodes.Const(value=str(message))],
                kwargs=[],
                dyn_args=None,
                dyn_kwargs=None,
            ):
                return nodes.Const(self._text(message), lineno=node.lineno)
        return self.generic_visit(node)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        return node  # Jinja joins constants as plain texts, which would be escaped then
