-- The sealed world in which scripts run. It gets the table of functions that the host offers, and
-- returns how a script is entered; after that the plain globals are out of reach.
--
-- What a script can see must be a function of the script, its arguments and the replies it got:
--   * nothing outlives a script: globals and libraries cannot be changed;
--   * no address shows: `tostring` counts, tables with objects for keys are not iterated;
--   * a script that has used up its budget cannot go on by catching the error.
-- Every instruction of this file that a script makes run counts towards its budget.

local host = ...
local error, getmetatable, ipairs, loadstring, next = error, getmetatable, ipairs, loadstring, next
local pairs, pcall, rawget, rawset, select = pairs, pcall, rawget, rawset, select
local setmetatable, tonumber, tostring, type = setmetatable, tonumber, tostring, type
local xpcall = xpcall
local concat, insert, foreach = table.concat, table.insert, table.foreach
local create, resume, wrap = coroutine.create, coroutine.resume, coroutine.wrap
local ended, charge, where = host.ended, host.charge, host.where

-- Sealed tables: what each stands for. The table that a script holds is empty and stays so.
local inside = {}

local function refuse()
  error("Attempt to modify a readonly table", 2)
end

local function seal(contents)
  local shown = {}
  inside[shown] = contents
  return setmetatable(shown, {__index = contents, __newindex = refuse, __metatable = false})
end

local function nonexistent(_, name)
  error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
end

-- Functions of the host, and some of these, return true and their results, or false and what went
-- wrong; a guard raises that.
local guard = host.guard

local function guard_all(functions)
  local guarded = {}
  for name, raw in pairs(functions) do
    guarded[name] = type(raw) == "function" and guard(raw) or raw
  end
  return guarded
end

local function bad_argument(name, expected, ...)
  local got = select("#", ...) == 0 and "no value" or type((...))
  return false, "bad argument #1 to '" .. name .. "' (" .. expected .. " expected, got " .. got .. ")"
end

-- Errors that a script must not survive: its budget or the memory of this interpreter is used up.
-- The text is the one with which Lua reports that; only the host raises userdata.
local null = host.null
local function fatal(err)
  return ended() or (err == "not enough memory" and host.out_of_memory())
    or (type(err) == "userdata" and err ~= null)
end

local function caught(ok, err, ...)
  if not ok and fatal(err) then error(err, 0) end
  return ok, err, ...
end

local globals = {}

-- Only the host's writing scripts refuse what differs between replicas.
local writes = false

local function unordered(t)
  for key in next, t do
    local kind = type(key)
    if kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
      return "a script that can write cannot iterate over a table with a " .. kind
        .. " for a key: its order differs between replicas"
    end
  end
end

globals.next = guard(function(...)
  local t, key = ...
  if type(t) ~= "table" then return bad_argument("next", "table", ...) end
  local complaint = key == nil and writes and unordered(t)
  if complaint then return false, complaint end
  return true, next(inside[t] or t, key)
end)

globals.pairs = guard(function(...)
  local t = ...
  if type(t) ~= "table" then return bad_argument("pairs", "table", ...) end
  local contents = inside[t]
  if contents then
    local copy = {}
    for key, value in next, contents do copy[key] = value end
    return true, next, copy, nil
  end
  local complaint = writes and unordered(t)
  if complaint then return false, complaint end
  return true, next, t, nil
end)

function globals.rawget(t, key)
  return rawget(inside[t] or t, key)
end

function globals.rawset(t, key, value)
  if inside[t] then error("Attempt to modify a readonly table", 0) end
  return rawset(t, key, value)
end

local strings = getmetatable("")
local shown_strings

function globals.getmetatable(object)
  if type(object) == "string" then return shown_strings end
  if inside[object] then return nil end
  return getmetatable(object)
end

function globals.setmetatable(t, ...)
  if inside[t] then error("Attempt to modify a readonly table", 2) end
  return setmetatable(t, ...)
end

-- Objects are numbered in the order in which a script asks.
local numbers, count = nil, 0

function globals.tostring(...)
  local value = ...
  local kind = type(value)
  if kind == "string" or kind == "number" or kind == "boolean" or value == nil or value == null then
    return tostring(...)
  end
  local meta = getmetatable(value)
  if type(meta) == "table" and rawget(meta, "__tostring") ~= nil then return tostring(value) end
  numbers = numbers or {}
  local number = numbers[value]
  if not number then
    count = count + 1
    number = ("%s: 0x%014x"):format(kind, count)
    numbers[value] = number
  end
  return number
end

-- Redis's pcall returns the text of an error that a command raised, not its table.
local function plain(ok, err, ...)
  if not ok then
    if fatal(err) then error(err, 0) end
    local text = type(err) == "table" and not inside[err] and err.err
    if type(text) == "string" or type(text) == "number" then return false, text end
  end
  return ok, err, ...
end

function globals.pcall(...) return plain(pcall(...)) end

function globals.xpcall(f, handler)
  return caught(xpcall(f, function(err)
    if fatal(err) then return err end
    return handler(err)
  end))
end

local function compile(text, name)
  if text:byte() == 27 then return nil, "attempt to load chunk with wrong mode" end
  return loadstring(text, name)
end

globals.loadstring = guard(function(...)
  local text, name = ...
  if type(text) == "number" then text = tostring(text) end
  if type(text) ~= "string" then return bad_argument("loadstring", "string", ...) end
  return true, compile(text, name)
end)

function globals.load(reader, name)
  local pieces = {}
  while true do
    local piece = reader()
    if piece == nil or piece == "" then break end
    if type(piece) ~= "string" then return nil, "reader function must return a string" end
    pieces[#pieces + 1] = piece
  end
  return compile(concat(pieces), name or "=(load)")
end

-- The collector runs when the host says; nobody can watch it.
function globals.collectgarbage(what)
  if what == "step" then return false end
  return 0
end

function globals.gcinfo() return 0, 0 end

for _, name in ipairs {"assert", "error", "ipairs", "rawequal", "select", "tonumber", "type",
    "unpack", "_VERSION"} do
  globals[name] = _G[name]
end

-- Coroutines get a count of instructions of their own; making one costs the difference.
local function spend(steps)
  if charge(steps) then error("budget", 0) end
end

local coroutines = {running = coroutine.running, status = coroutine.status, yield = coroutine.yield}
function coroutines.create(f) spend(host.period) return create(f) end
function coroutines.wrap(f) spend(host.period) return wrap(f) end
function coroutines.resume(...) return caught(resume(...)) end

local tables = {}
for name, f in pairs(table) do tables[name] = f end

-- Inserting far before the first element would move everything in between, one by one.
tables.insert = guard(function(...)
  local t, place = ...
  if type(t) ~= "table" then return bad_argument("insert", "table", ...) end
  if inside[t] then error("Attempt to modify a readonly table", 0) end
  local count = select("#", ...)
  if count == 3 then
    place = tonumber(place)
    if not place then
      local got = type((select(2, ...)))
      return false, "bad argument #2 to 'insert' (number expected, got " .. got .. ")"
    end
    if place < 1 then spend(#t - place) end
  elseif count ~= 2 then
    return false, "wrong number of arguments to 'insert'"
  end
  return true, insert(...)
end)

function tables.foreach(t, f)
  local complaint = writes and type(t) == "table" and unordered(t)
  if complaint then error(complaint, 2) end
  return foreach(inside[t] or t, f)
end

local function merged(native, ours, without)
  local all = {}
  for name, value in pairs(native) do all[name] = value end
  for name, value in pairs(ours) do all[name] = value end
  for _, name in ipairs(without) do all[name] = nil end
  return all
end

local text = merged(string, guard_all(host.string), {"dump"})

globals.string = seal(text)
globals.table = seal(tables)
globals.coroutine = seal(coroutines)
globals.math = seal(merged(math, guard_all(host.math), {}))
globals.os = seal(guard_all(host.os))
for name, functions in pairs(host.libraries) do globals[name] = guard_all(functions) end
-- Nothing that is set in one instance lasts, so one is enough.
local json = globals.cjson
for name in pairs(host.libraries) do globals[name] = seal(globals[name]) end
function json.new() return globals.cjson end

strings.__index = text
strings.__metatable = false
shown_strings = seal {__index = globals.string}

-- redis.*

local invoke
local api = guard_all(host.api)

api.call = guard(function(...) return invoke(0, ...) end)
api.acl_check_cmd = guard(function(...) return invoke(1, ...) end)

function api.pcall(...)
  local _, value = invoke(0, ...)
  return value
end

local function one_string(...)
  return select("#", ...) == 1 and type((...)) == "string"
end

function api.status_reply(...)
  if not one_string(...) then return {err = "ERR wrong number or type of arguments"} end
  return {ok = (...)}
end

function api.error_reply(...)
  if not one_string(...) then return {err = "ERR wrong number or type of arguments"} end
  local message = (...):gsub("^%-", ""):gsub("[\r\n]+$", "")
  if not message:find(" ", 1, true) then message = "ERR " .. message end
  return {err = message}
end

globals.redis = seal(api)
globals.server = globals.redis

local world = setmetatable({}, {
  __index = setmetatable(globals, {__index = nonexistent}),
  __newindex = refuse,
  __metatable = false,
})
inside[world] = globals
globals._G = world

-- Entering a script.

local function trap(err)
  if fatal(err) then return err end
  if type(err) ~= "table" or inside[err] then
    err = {err = "ERR " .. globals.tostring(err)}
  end
  local source, line = where()
  if source then
    rawset(err, "source", source)
    rawset(err, "line", line)
  end
  return err
end

local function begin(call, can_write)
  invoke, writes, numbers, count = call, can_write, nil, 0
end

local function run(f, call, can_write, keys, values)
  begin(call, can_write)
  rawset(globals, "KEYS", keys)
  rawset(globals, "ARGV", values)
  local ok, value = xpcall(f, trap)
  globals.KEYS, globals.ARGV, invoke, numbers = nil, nil, nil, nil
  return ok, value
end

return world, run
