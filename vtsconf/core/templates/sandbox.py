"""Where templates run: jinja2's sandbox, reduced to plain data and to what ends soon."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from vtsconf.core.content import mark
from vtsconf.core.problem import Place
from vtsconf.core.secret import SecretRef
from vtsconf.core.templates import Loader, TemplateError, is_name
from vtsconf.core.templates.complaint import complaint
from vtsconf.core.templates.filters import FILTERS, TEXT_METHODS
from vtsconf.core.templates.meter import (
    MAX_LENGTH,
    TooMuch,
    added,
    budget,
    metered,
    multiplied,
    power,
    spelled,
    spend,
)
from vtsconf.core.templates.pending import Pending
from vtsconf.core.templates.pricing import Pricing

_SAFE_METHODS: dict[type, frozenset[str]] = {
    str: frozenset(
        [
            "upper",
            "lower",
            "strip",
            "lstrip",
            "rstrip",
            "split",
            "rsplit",
            "splitlines",
            "startswith",
            "endswith",
            "title",
            "capitalize",
            "removeprefix",
            "removesuffix",
            "find",
            "index",
            "count",
            "isdigit",
            "isalpha",
            "isalnum",
            "partition",
            "rpartition",
        ]
    ),
    dict: frozenset({"get", "items", "keys", "values"}),
    list: frozenset({"index", "count"}),
    tuple: frozenset({"index", "count"}),
}


class Sandbox:
    """One set of templates; those given as text are compiled once."""

    def __init__(self, loader: Loader | None) -> None:
        self._environment = _Environment(loader)
        self._compiled = lru_cache(maxsize=2000)(self._compile)

    def text(self, source: str, names: Mapping[str, Any], place: Place) -> str:
        """The whole as text. Raises TemplateError."""
        return str(self._run(source, names, place, native=False))

    def value(self, source: str, names: Mapping[str, Any], place: Place) -> Any:
        """The same, but a source that is one expression gives that expression's plain value. Raises TemplateError."""
        return self._run(source, names, place, native=True)

    def _run(self, source: str, names: Mapping[str, Any], place: Place, *, native: bool) -> Any:
        template = None
        try:
            with budget():
                template, is_value = self._compiled(source, place.file if not native else "", native)
                context = template.new_context(dict(names))
                text = "".join(template.root_render_func(context))
                return _plain(context.vars["result"]) if is_value else text
        except TemplateError:
            raise
        except Exception as error:  # noqa: BLE001 - a template's code may raise anything
            raise TemplateError(complaint(error, place, names, in_file=not native)) from None

    def _compile(self, source: str, name: str, native: bool) -> tuple[jinja2.Template, bool]:
        if len(source) > MAX_LENGTH:
            raise TooMuch("the template is too long")
        tree = self._environment.parse(source, name or None)
        expression = _only_expression(tree) if native else None
        if expression is not None:
            assign = nodes.Assign(nodes.Name("result", "store"), expression, lineno=1)
            tree = nodes.Template([assign], lineno=1)
        code = self._environment.compile(tree, name or None, name or None)
        template = jinja2.Template.from_code(self._environment, code, self._environment.make_globals(None))
        return template, expression is not None


def _only_expression(tree: nodes.Template) -> nodes.Expr | None:
    match tree.body:
        case [nodes.Output(nodes=[expression])] if not isinstance(expression, nodes.TemplateData):
            return expression
    return None


class _Context(Context):
    """Names whose values are rendered when they are first asked for."""

    def resolve_or_missing(self, key: str) -> Any:
        value = super().resolve_or_missing(key)
        return value.ask() if isinstance(value, Pending) else value


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"+", "*", "**", "%"})
    context_class = _Context

    def __init__(self, loader: Loader | None) -> None:
        super().__init__(
            undefined=jinja2.StrictUndefined,
            finalize=_finalized,
            loader=jinja2.FunctionLoader(partial(_loaded, loader)) if loader else None,
            keep_trailing_newline=True,
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,  # nothing is computed before the budget is there
            auto_reload=False,
        )
        self.filters = dict(FILTERS)
        self.globals = {"range": _bounded_range, "dict": dict, "namespace": self.globals["namespace"]}
        self.metered = metered
        self.spend = spend
        self.joined = _joined

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        """Put the meter into the template before it becomes code."""
        metered_source = Pricing().visit(source)
        metered_source.set_environment(self)
        return super()._generate(metered_source, name, filename, defer_init)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002 - jinja2's signature
        match operator:
            case "*":
                return multiplied(left, right)
            case "**":
                return power(left, right)
            case "+":
                return added(left, right)
            case _ if isinstance(left, str):
                return FILTERS["format"](left, *(right if isinstance(right, tuple) else (right,)))
            case _:
                return left % right

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        spend(10)
        return super().call(context, obj, *args, **kwargs)

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Undefined):
            return str(obj)  # raises what it lacks
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]  # a key `items` is meant, not the method
        if isinstance(obj, str) and attribute in TEXT_METHODS:
            return partial(TEXT_METHODS[attribute], obj)
        return super().getattr(obj, attribute)

    def wrap_str_format(self, value: Any) -> None:
        """`str.format` is not offered: the filter `format` is bounded."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, int | float | bytes):
            return False
        for kind, methods in _SAFE_METHODS.items():
            if isinstance(obj, kind) and attr not in methods and not hasattr(obj, "_fields"):
                return False
        return super().is_safe_attribute(obj, attr, value)


def _loaded(loader: Loader, name: str) -> str | None:
    """A template from the project or the built-in ones; nothing outside them has a name."""
    return loader(name) if is_name(name) else None


def _bounded_range(*bounds: int) -> range:
    numbers = range(*bounds)
    # The length of a range may be more than `len` can say.
    if numbers and abs(numbers[-1] - numbers[0]) // max(abs(numbers.step), 1) >= MAX_LENGTH:
        raise TooMuch("a range is too long")
    return numbers


def _finalized(value: Any) -> str:
    """A value as text in a file: null is nothing, a secret's reference is its mark."""
    text = "" if value is None else spelled(value)
    spend(len(text))
    return _marked(text) if "://" in text else text


def _marked(text: str) -> str:
    if ref := SecretRef.parse(text):
        return mark(ref)
    if any("secret://" in piece.rpartition("\ue001")[2].casefold() for piece in text.split("\ue000")):
        raise ValueError(
            "an expression changed a secret's reference: write {{ name }} alone, without a filter or `~`"
        )
    return text


def _joined(*values: Any) -> str:
    """What `~` does: texts one after another."""
    texts = [_finalized(value) for value in values]
    if sum(map(len, texts)) > MAX_LENGTH:
        raise TooMuch("a text is too long")
    return "".join(texts)


def _plain(value: Any) -> Any:
    """A value as plain data."""
    spend(1)
    match value:
        case Undefined():
            return str(value)  # raises what it lacks
        case str():
            spend(len(value))
            return value if SecretRef.parse(value) else _marked(value)
        case None | bool() | int() | float():
            return value
        case Mapping():
            return {str(k): _plain(v) for k, v in value.items()}
        case list() | tuple() | range():
            return [_plain(item) for item in value]
    if hasattr(value, "__next__") or isinstance(
        value, type({}.items()) | type({}.keys()) | type({}.values())
    ):
        return [_plain(item) for item in metered(value)]
    raise ValueError(f"the result is no plain data but a {type(value).__name__}")
