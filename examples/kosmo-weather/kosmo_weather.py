"""Weather: what it is like now, and in the days ahead. From Open-Meteo, which asks for no key.

Source: https://open-meteo.com/en/docs
"""

from kosmo_lua.errors import ServiceError
from kosmo_lua.integration import (
    Api,
    Credentials,
    Field,
    Integration,
    JsonObject,
    Origin,
    Params,
    setting,
)


class WeatherCredentials(Credentials):
    """Where the service is."""

    url: Origin = setting("Address of the API.", default="https://api.open-meteo.com")


class Weather(Api[WeatherCredentials]):
    """The Forecast API of Open-Meteo."""

    title = "Open-Meteo"

    def forecast(self, place: Params, part: str, variables: str) -> JsonObject:
        """Return one part of a forecast, `current` or `daily`, with these variables."""
        query = {name: str(value) for name, value in place.wire().items()}
        body = self.request(
            "GET",
            f"{self.credentials.url}/v1/forecast",
            query={**query, part: variables, "timezone": "auto"},
        )
        found = body.get(part) if isinstance(body, dict) else None
        if not isinstance(found, dict):
            message = f"Open-Meteo answered without the part {part}"
            raise ServiceError(message)
        return found

    def explain(self, body: JsonObject) -> str | None:
        """Read `{"error": true, "reason": "..."}`."""
        return str(body["reason"]) if "reason" in body else None


weather = Integration(
    "weather",
    title="Weather",
    summary="The weather now and in the days ahead, anywhere, from Open-Meteo.",
    credentials=WeatherCredentials,
    api=Weather,
)


class Place(Params):
    """A point on the globe."""

    latitude: float = Field(description="Degrees north.", ge=-90, le=90, examples=[52.52])
    longitude: float = Field(description="Degrees east.", ge=-180, le=180, examples=[13.41])


@weather.read("current")
def get_current(api: Weather, place: Place) -> JsonObject:
    """Get the weather of this moment.

    Returns: `{time, interval, temperature_2m, wind_speed_10m}`: local time, seconds, degrees Celsius, km/h.

    ```lua
    local now = app.integrations.weather.get_current({latitude = 52.52, longitude = 13.41})
    print(now.time, now.temperature_2m)
    ```

    Source: https://open-meteo.com/en/docs
    """
    return api.forecast(place, "current", "temperature_2m,wind_speed_10m")


class Days(Place):
    """A point on the globe, and how far to look ahead."""

    forecast_days: int = Field(7, description="How many days, today included.", ge=1, le=16)


@weather.read("forecast")
def get_forecast(api: Weather, days: Days) -> JsonObject:
    """Get the lowest and the highest temperature of each day, from today on.

    Returns: `{time, temperature_2m_min, temperature_2m_max}`, each a list with one entry for each day: local
    date, degrees Celsius.

    ```lua
    local days = app.integrations.weather.get_forecast({
      latitude = 52.52, longitude = 13.41, forecast_days = 3
    })
    for i, date in ipairs(days.time) do
      print(date, days.temperature_2m_min[i], days.temperature_2m_max[i])
    end
    ```

    Source: https://open-meteo.com/en/docs
    """
    return api.forecast(days, "daily", "temperature_2m_min,temperature_2m_max")
