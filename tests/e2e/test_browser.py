"""The dashboard as a visitor meets it: the real server, the real engine, a real browser."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import psutil
import pytest
from playwright.sync_api import expect

from prunepriv.options import ATTACKS
from tests.e2e.conftest import PATIENCE_MS, Server, Visitor, start_server, stop_server

pytestmark = pytest.mark.browser

PAGES = ("Overview", "Run", "Leakage", "Classes", "Attacks", "Defences", "Sweeps")
CARDS = ("Data", "Train", "Prune", "Fine-tune", "Attack", "Defend")
SMALL_RUN = (
    "/run?new_dataset=Digits&new_model=Small%20CNN&new_epochs=3&new_fine_tune_epochs=2"
    "&new_limit=300&new_shadows=1&new_width=0.35&new_attacks=Conf&new_attacks=Corr"
)
MOST_MEGABYTES = 350

Visit = Callable[..., Visitor]
expect.set_options(timeout=PATIENCE_MS)


def path(title: str) -> str:
    """Where a page is; the first one is at the root."""
    return "/" if title == PAGES[0] else f"/{title.lower()}"


def test_a_first_visitor_sees_a_finished_example_at_once(visit: Visit) -> None:
    visitor = visit()
    started = time.perf_counter()
    visitor.open()
    charts = visitor.page.locator(".js-plotly-plot")
    expect(charts.first).to_be_visible()
    first_chart = time.perf_counter() - started
    visitor.heading("Overview")
    expect(charts).to_have_count(len(CARDS) + 1)  # and that of the example's other seeds
    for number, card in enumerate(CARDS, start=1):
        expect(visitor.page.get_by_text(f"{number} · {card}")).to_be_visible()
    assert "run=" in visitor.page.url
    assert first_chart < 20, "the first chart took too long even for a busy machine"


def test_every_page_opens_on_the_same_run_from_the_navigation(visit: Visit) -> None:
    visitor = visit()
    visitor.open()
    visitor.heading("Overview")
    run = visitor.page.url.split("run=")[1]
    for title in PAGES[1:]:
        visitor.go(title)
        expect(visitor.page).to_have_url(re.compile(f"run={run}"))
        expect(visitor.page.get_by_test_id("stException")).to_have_count(0)
        expect(visitor.page.get_by_test_id("stAlertContentError")).to_have_count(0)


@pytest.mark.parametrize(
    ("page", "run"),
    [
        *((title, "checkins-fc-70-000000000000") for title in PAGES),
        ("Overview", "..%2F..%2Fetc%2Fpasswd"),
        ("Leakage", "%3Cscript%3Ealert(1)%3C%2Fscript%3E"),
    ],
)
def test_a_run_that_is_not_there_gets_a_sentence_and_the_way_on(
    visit: Visit, page: str, run: str
) -> None:
    visitor = visit()
    visitor.open(f"{path(page)}?run={run}")
    expect(visitor.page.get_by_test_id("stAlert")).to_have_count(1)
    expect(visitor.page.get_by_test_id("stException")).to_have_count(0)
    visitor.page.get_by_test_id("stMain").get_by_role("link").first.click()
    visitor.heading("Overview")
    expect(visitor.page.locator(".js-plotly-plot").first).to_be_visible()


def test_picking_another_run_puts_it_into_the_url_and_a_reload_keeps_it(visit: Visit) -> None:
    visitor = visit()
    visitor.open()
    visitor.heading("Overview")
    before = visitor.page.url
    visitor.page.get_by_role("combobox", name="Selected run").click()
    visitor.page.get_by_role("option").nth(1).click()
    expect(visitor.page).not_to_have_url(before)
    picked = visitor.page.url
    visitor.page.reload()
    visitor.heading("Overview")
    expect(visitor.page).to_have_url(picked)


def test_a_choice_that_cannot_be_run_is_explained_and_not_launched(visit: Visit) -> None:
    visitor = visit()
    visitor.open("/run")
    visitor.heading("Run")
    launch = visitor.page.get_by_role("button", name="Launch")
    expect(launch).to_be_enabled()
    visitor.page.get_by_role("radio", name="L1 structured").click()
    expect(visitor.page.get_by_text("l1_structured needs conv layers")).to_be_visible()
    visitor.settle()
    expect(launch).to_be_disabled()
    visitor.page.get_by_role("radio", name="Shapes (synthetic)").click()
    expect(visitor.page.get_by_text("l1_structured needs conv layers")).to_have_count(0)
    visitor.settle()
    expect(launch).to_be_enabled()


@pytest.mark.slow
def test_a_run_is_launched_watched_found_again_and_finished(visit: Visit) -> None:
    visitor = visit()
    visitor.open(SMALL_RUN)
    visitor.heading("Run")
    visitor.page.get_by_role("button", name="Launch").click()
    expect(visitor.page.get_by_text("Running", exact=False).first).to_be_visible()
    expect(visitor.page).to_have_url(re.compile("run=digits-cnn-70-"))
    visitor.page.reload()
    visitor.heading("Run")
    expect(visitor.page.get_by_text("See what it shows")).to_be_visible(timeout=240_000)
    expect(visitor.page.get_by_text("best at epoch", exact=False)).to_be_visible()
    links = visitor.page.get_by_test_id("stMain").get_by_role("link")
    links.filter(has_text="Overview").click()
    visitor.heading("Overview")
    expect(visitor.page.get_by_text("5 · Attack")).to_be_visible()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_is_wider_than_a_telephone(visit: Visit, dark: bool) -> None:
    visitor = visit(width=390, height=844, dark=dark)
    for title in PAGES:
        visitor.open(path(title))
        visitor.heading(title)
        main = visitor.page.get_by_test_id("stMain")
        assert main.evaluate("main => main.scrollWidth") <= 390, title


def test_the_server_stays_small(visit: Visit, server: Server) -> None:
    """It never imports torch, which alone takes more than this."""
    visitor = visit()
    visitor.open()
    visitor.heading(PAGES[0])
    for title in PAGES[1:]:
        visitor.go(title)
    megabytes = psutil.Process(server.process.pid).memory_info().rss / 2**20
    assert megabytes < MOST_MEGABYTES


def test_charts_follow_a_change_to_the_dark(visit: Visit) -> None:
    visitor = visit()
    visitor.open()
    paper = visitor.page.locator(".js-plotly-plot .main-svg").first
    expect(paper).to_have_css("background-color", "rgb(255, 255, 255)")
    visitor.page.get_by_test_id("stMainMenu").click()
    visitor.page.get_by_test_id("stMainMenuPopover").get_by_text("Dark").last.click()
    expect(paper).to_have_css("background-color", "rgb(14, 17, 23)")


def test_the_file_behind_a_chart_holds_its_numbers_and_their_origin(
    visit: Visit, tmp_path: Path
) -> None:
    visitor = visit()
    visitor.open()
    card = visitor.page.locator(".st-key-card_5")
    card.get_by_role("button", name="Data").click()
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("button", name="Download CSV").click()
    download.value.save_as(tmp_path / "attacks.csv")
    table = pd.read_csv(tmp_path / "attacks.csv")
    assert len(table) == len(ATTACKS)
    assert set(table["attack"]) == set(ATTACKS)
    assert set(table["run"]) == {visitor.page.url.split("run=")[1]}
    assert table["command"].str.startswith("python -m prunepriv run").all()
    assert (table["ci95_low"] <= table["accuracy"]).all()
    assert (table["accuracy"] <= table["ci95_high"]).all()


def test_the_first_link_to_a_fresh_server_may_lead_to_any_page(
    visit: Visit, tmp_path: Path
) -> None:
    fresh = start_server(tmp_path / "store")
    try:
        visitor = visit(to=fresh)
        visitor.open("/leakage")
        visitor.heading("Leakage")
        names = visitor.page.get_by_test_id("stSidebarNav").get_by_role("link").all_inner_texts()
        assert [name.split("\n")[-1] for name in names] == list(PAGES)
        visitor.page.close()
    finally:
        stop_server(fresh)
