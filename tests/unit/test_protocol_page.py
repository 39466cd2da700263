"""The page for integrators is in step with the table."""

import pytest

from edge.core.topics import TABLE
from edge.settings import ROOT

PAGE = (ROOT / "docs" / "protocol.md").read_text()


@pytest.mark.parametrize("topic", TABLE, ids=lambda topic: topic.name)
def test_every_topic_and_field_is_on_the_page(topic):
    row = next(
        line for line in PAGE.splitlines() if line.startswith(f"| `{topic.name}") or f", `…/{topic.name}" in line
    )
    assert f"| {topic.qos} |" in row
    assert ("yes" in row) is topic.retained
    for field in (*topic.required, *topic.optional):
        assert f"`{field}`" in row, field
