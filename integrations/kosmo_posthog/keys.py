"""The check of the personal API key."""

from kosmo_lua.errors import ConfigError
from kosmo_posthog.client import PostHog, posthog


@posthog.check("api_token")
def check_api_token(api: PostHog) -> str:
    """Ask PostHog what the key may do, and whether that includes the project.

    Source: https://posthog.com/docs/api
    """
    key = api.key()
    projects, scopes = (
        [str(each) for each in found] if isinstance(found, list) else []
        for found in (key.get("scoped_teams"), key.get("scopes"))
    )
    project = api.credentials.project_id
    if project and projects and project not in (*projects, "@current"):
        message = f"project_id is {project}, but the key is for {_listed('project', projects)}"
        raise ConfigError(message, hint="Set project_id, or use a key of that project.")
    where = _listed("project", projects) if projects else "every project of its owner"
    return f"is for {where}, with the {_listed('scope', scopes)}."


def _listed(noun: str, words: list[str]) -> str:
    return f"{noun}{'' if len(words) == 1 else 's'} {', '.join(words) or 'none'}"
