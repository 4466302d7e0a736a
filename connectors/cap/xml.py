"""CAP alerts found in XML, wherever they stand: alone, in `<alerts>`, in an EDXL-DE envelope, inline in Atom."""

from collections.abc import Iterator

from lxml import etree

from connectors.cap.node import Node

CAP_10 = "http://www.incident.com/cap/1.0"
CAP_NAMESPACES = frozenset(
    {CAP_10, *(f"urn:oasis:names:tc:emergency:cap:{version}" for version in ("1.0", "1.1", "1.2"))}
)
_SIGNATURE = "http://www.w3.org/2000/09/xmldsig#"
# Wrappers that carry no alert when there is nothing to warn of.
_EMPTY_WRAPPERS = frozenset({"alerts", "edxldistribution", "feed", "rss", "rdf"})


def local(element: etree._Element) -> str:
    """The element's name without namespace; `""` for what is no element."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def namespace(element: etree._Element) -> str:
    return element.tag[1:].rpartition("}")[0] if isinstance(element.tag, str) and element.tag.startswith("{") else ""


def alerts_in(root: etree._Element) -> Iterator[etree._Element]:
    """The `alert` elements of a tree, in order: by local name, and by namespace as far as it can be asked for (one
    publisher writes `...:emergency:alerts:1.2`, others none): a wrong one must at least hold a CAP element."""
    for element in root.iter("{*}alert"):
        if any(local(ancestor) == "alert" for ancestor in element.iterancestors()):
            continue
        if namespace(element) in CAP_NAMESPACES or any(
            local(child) in ("identifier", "sender", "sent", "info", "msgType") for child in element
        ):
            yield element


def is_empty_wrapper(root: etree._Element) -> bool:
    """Whether this is a known wrapper with nothing in it, which is how some publishers say "no warnings"."""
    name = local(root).lower()
    inside = {local(child).lower() for child in root.iter() if isinstance(child.tag, str)}
    return name in _EMPTY_WRAPPERS and not inside & {"contentobject", "content", "entry", "item", "alert"}


def alert_node(alert: etree._Element) -> tuple[Node, tuple[str, ...]]:
    """An alert as a Node, and notes on its namespace and its envelope."""
    notes: list[str] = []
    uri = namespace(alert)
    if uri not in CAP_NAMESPACES:
        notes.append(
            f"namespace {uri[:80]!r} is not CAP's: read as CAP 1.2" if uri else "no namespace: read as CAP 1.2"
        )
    node = node_of(alert, "alert")
    if uri.endswith("1.0"):
        node.children["capVersion"] = [Node("1.0")]
    envelope = distribution_status(alert)
    if envelope:
        node.children["distributionStatus"] = [Node(envelope)]
    return node, tuple(notes)


def node_of(element: etree._Element, path: str) -> Node:
    """An element and all in it, without signatures. lxml keeps XML no deeper than 256 levels (huge_tree off), so the
    recursion is bounded."""
    node = Node((element.text or "").strip(), {}, f"{element.sourceline}: {path}")
    texts = [element.text or ""]
    for child in element:
        texts.append(child.tail or "")
        name = local(child)
        if not name or namespace(child) == _SIGNATURE:
            continue
        siblings = node.children.setdefault(name, [])
        siblings.append(node_of(child, f"{path}/{name}[{len(siblings) + 1}]" if siblings else f"{path}/{name}"))
    node.text = "".join(texts).strip()
    return node


def distribution_status(alert: etree._Element) -> str:
    """What an EDXL-DE envelope (1.0 or 2.0, in either spelling) says of its status; `""` without envelope."""
    for ancestor in alert.iterancestors():
        if local(ancestor).lower() != "edxldistribution":
            continue
        for child in ancestor:
            if local(child).lower() == "distributionstatus":
                values = [
                    (e.text or "").strip() for e in child.iter() if local(e).lower() in ("value", "distributionstatus")
                ]
                return next((value for value in reversed(values) if value), "")
    return ""
