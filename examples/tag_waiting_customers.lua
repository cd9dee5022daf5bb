--[[
Reads the open tickets of an MCP server, and tells Segment of each customer how many there are. The server is
helpdesk.py; any other is added in the same way. A dry run makes the reads, and shows the writes.

Run:

    export KOSMO_HOME=$(mktemp -d) KOSMO_SEGMENT_WRITE_KEY=your-write-key
    kosmo mcp:add helpdesk --global -- python "$PWD/examples/helpdesk.py" > "$KOSMO_HOME/log"
    kosmo integrations:lua examples/tag_waiting_customers.lua --dry-run --force

Output:

    user-42: Where is my parcel?; It is here, but empty
    user-44: An invoice, please
    2 writes planned, none made
      segment.identify_user {"traits": {"open_tickets": 2}, "userId": "user-42"}
      segment.identify_user {"traits": {"open_tickets": 1}, "userId": "user-44"}
    {
      "customers": 2
    }
]]

local subjects, customers = {}, {}
for _, ticket in ipairs(app.mcp.helpdesk.list_tickets({ state = "open" }).result) do
  if not subjects[ticket.customer] then
    subjects[ticket.customer] = {}
    table.insert(customers, ticket.customer)
  end
  table.insert(subjects[ticket.customer], ticket.subject)
end

for _, customer in ipairs(customers) do
  print(customer .. ": " .. table.concat(subjects[customer], "; "))
  app.integrations.segment.identify_user({
    userId = customer,
    traits = { open_tickets = #subjects[customer] },
  })
end

return { customers = #customers }
