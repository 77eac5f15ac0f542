"""A real browser, headless, for tests that look at pages."""

import json
import logging
import os
import shutil
import time

import pytest

# Chromium hands its messages over a moment after a page is loaded.
_SETTLING = 0.5  # seconds
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-file-access-from-files",
)


def started(profile):
    """Start Chromium with a profile of its own; skip, loudly, where it is not installed."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if not program or not driver:
        pytest.skip("NO BROWSER: chromium and chromedriver are not installed; see .ci/run")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    logging.getLogger("selenium").setLevel(logging.WARNING)
    return webdriver.Chrome(
        options=options, service=webdriver.ChromeService(driver, env={**os.environ})
    )


def opened(browser, page, width=1200):
    """Open a page at a width; return what it logged and which addresses it asked for."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    browser.get("about:blank")
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(page.as_uri())
    time.sleep(_SETTLING)
    messages = [entry["message"] for entry in browser.get_log("browser")]
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    return messages, asked
