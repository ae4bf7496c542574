"""What Sal does all day: quotes from lists of sites."""

from __future__ import annotations

from tests.entrypoints.portal.visitor import Shown, Visitor

LIST = """Nome;País;Cidade;speed_mbps
Head office;Reino Unido;London;200
Depot;GB;Luton;
Harbour;South Africa;Durban;
Mill;ZAF;Joanesburgo;
Far shop;Ghana;Accra;
"""
"""Three that can be had, one that is near our network, one that nobody reaches."""


def begin(sal: Visitor, title: str, *, buyer: str = "customer:shop") -> str:
    """A draft without sites; its address."""
    form = {"for": buyer, "offer": "line", "title": title, "c_speed_mbps": "100"}
    answer = sal.send("/quotes/new", form, follow=False)
    assert answer.status == 303, answer.text
    address: str = answer.answer.headers["location"].removesuffix("/sites")
    return address


def give(sal: Visitor, quote: str, pasted: str = LIST) -> Shown:
    form = {**sal.open(f"{quote}/sites").form(f"{quote}/sites"), "pasted": pasted}
    return sal.send(f"{quote}/sites", form)


def price(sal: Visitor, quote: str) -> Shown:
    return sal.send(f"{quote}/price", sal.open(quote).form(f"{quote}/price"))


def priced(sal: Visitor, title: str, pasted: str = LIST, *, buyer: str = "customer:shop") -> str:
    quote = begin(sal, title, buyer=buyer)
    assert give(sal, quote, pasted).status == 200
    assert price(sal, quote).status == 200
    return quote
