-- What PCRE2 finds, for tests/test_regex_oracle.py: Debian's lrexlib, in a process of its own.
--
-- Reads a JSON list of cases {pattern, flags, subject} and writes a list of answers: false where the pattern is
-- refused or PCRE2 gives up, else the matches in order, each {first byte, last byte, group 1, group 2, ...}.

local pcre2, json = require "rex_pcre2", require "cjson"

local FLAGS = pcre2.flags()
-- Unicode as with PHP's flag u; without the optimization that makes 10.42 lose "b" for `\D?\P{Lu}`.
local OPTIONS = FLAGS.UTF | FLAGS.UCP | FLAGS.NO_AUTO_POSSESS
local AGAIN = FLAGS.NOTEMPTY_ATSTART | FLAGS.ANCHORED
local LETTERS = {
  i = FLAGS.CASELESS, m = FLAGS.MULTILINE, s = FLAGS.DOTALL, x = FLAGS.EXTENDED,
  A = FLAGS.ANCHORED, D = FLAGS.DOLLAR_ENDONLY, U = FLAGS.UNGREEDY,
}

local function row(subject, first, last, spans)
  local found = { first, last }
  for index = 1, #spans, 2 do
    found[#found + 1] = spans[index] and subject:sub(spans[index], spans[index + 1]) or ""
  end
  return found
end

-- As preg_match_all goes on: after an empty match, with one that is not empty there, or else a character later.
local function matches(pattern, subject)
  local rows, at, options = {}, 1, 0
  while at <= #subject + 1 do
    local first, last, spans = pattern:exec(subject, at, options)
    if first then
      rows[#rows + 1] = row(subject, first, last, spans)
      at, options = last + 1, last < first and AGAIN or 0
    elseif options == 0 then
      break
    else
      at, options = (utf8.offset(subject, 2, at) or #subject + 2), 0
    end
  end
  return rows
end

local function answer(text, letters, subject)
  local options = OPTIONS
  for letter in letters:gmatch(".") do options = options | LETTERS[letter] end
  return matches(pcre2.new("(*LIMIT_MATCH=100000)" .. text, options), subject)
end

local answers = {}
for index, case in ipairs(json.decode(io.read("a"))) do
  local ok, found = pcall(answer, table.unpack(case))
  answers[index] = ok and found or false
  if not ok and os.getenv("WHY") then answers[index] = tostring(found) end
end
io.write(json.encode(answers))
