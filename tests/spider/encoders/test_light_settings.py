import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "settings",
    [
        "spider.encoders.static:StaticSettings",
        "spider.encoders.bert:BertSettings",
        "spider.encoders.student:StudentSettings",
    ],
)
def test_settings_are_made_without_torch(settings: str) -> None:
    module, name = settings.split(":")
    code = f"import sys; from {module} import {name}; {name}(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
