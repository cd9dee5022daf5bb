from kosmo_lua.testing import check_integration
from kosmo_weather import weather


def test_integration() -> None:
    check_integration(weather)
