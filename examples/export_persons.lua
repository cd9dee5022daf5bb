--[[
Exports cohorts and persons as JSON: the result of the run. In a pipe, > persons.json keeps it. The first
argument selects persons by a part of their email. Persons come a page at a time.

Run:

    kosmo integrations:lua examples/export_persons.lua --emulator -- jane@

Output:

    {
      "cohorts": [
        {
          "id": 1,
          "name": "Paying customers",
          "persons": 1
        },
        {
          "id": 2,
          "name": "Beta testers",
          "persons": 2
        }
      ],
      "persons": [
        {
          "ids": [
            "user-123"
          ],
          "properties": {
            "email": "jane@example.com",
            "plan": "pro"
          }
        }
      ]
    }
]]

local posthog = app.integrations.posthog

local export = { cohorts = json.array({}), persons = json.array({}) } -- [] in JSON, also when nothing comes

-- Calls list(arguments) page by page, and each(row) for every row.
local function for_each(list, arguments, each)
  arguments.offset = 0
  repeat
    local page = list(arguments)
    for _, row in ipairs(page.results) do
      each(row)
    end
    arguments.offset = arguments.offset + #page.results
  until not page.next
end

for_each(posthog.list_cohorts, {}, function(cohort)
  table.insert(export.cohorts, { id = cohort.id, name = cohort.name, persons = cohort.count })
end)

for_each(posthog.list_persons, { search = arg[1] }, function(person)
  table.insert(export.persons, { ids = person.distinct_ids, properties = person.properties })
end)

return export
