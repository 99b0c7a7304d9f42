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
local toll = host.toll
local concat, insert = toll(table.concat, "joined"), toll(table.insert, "moved")
local foreach = table.foreach
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
  if not numbers then
    numbers = {}
    host.numbers_objects()
  end
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
  charge(#text / 8)
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

for _, name in ipairs {"assert", "error", "ipairs", "rawequal", "select", "type", "_VERSION"} do
  globals[name] = _G[name]
end
globals.tonumber = toll(tonumber, "texts")
globals.unpack = toll(unpack, "results")

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
tables.concat = concat
tables.remove = toll(table.remove, "moved")
tables.sort = toll(table.sort, "sorted")

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
  elseif count ~= 2 then
    return false, "wrong number of arguments to 'insert'"
  end
  return true, insert(...)
end)

tables.maxn = guard(function(...)
  local t = ...
  if type(t) ~= "table" then return bad_argument("maxn", "table", ...) end
  local largest = 0
  for key in next, inside[t] or t do
    if type(key) == "number" and key > largest then largest = key end
  end
  return true, largest
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
for name, rate in pairs {byte = "results", char = "results", format = "results", sub = "results",
    lower = "texts", reverse = "texts", upper = "texts"} do
  text[name] = toll(string[name], rate)
end

-- Where a pattern is followed by calls of the script, the loop is here.
local both, scan, replace = host.patterns.both, host.patterns.scan, host.patterns.replace

local function advance(place, ok, from, to, ...)
  if not ok then return false, from end
  if not from then
    place[1] = 1 / 0
    return true
  end
  place[1] = to > from and to or to + 1
  return true, ...
end

text.gmatch = guard(function(...)
  local ok, subject, pattern = both("gmatch", ...)
  if not ok then return false, subject end
  local place, last = {1}, #subject + 1
  return true, guard(function()
    if place[1] > last then return true end
    return advance(place, scan(subject, pattern, place[1], false))
  end)
end)
text.gfind = text.gmatch

-- What becomes of one match: a complaint or nil, the replacement or nil, where the match is.
local function replaced(by, ok, from, to, ...)
  if not ok then return from end
  if not from then return nil end
  local value
  if type(by) == "function" then value = by(...) else value = by[(...)] end
  if value and type(value) ~= "string" and type(value) ~= "number" then
    return "invalid replacement value (a " .. type(value) .. ")"
  end
  return nil, value or nil, from, to
end

text.gsub = guard(function(...)
  local _, _, by, most = ...
  local ok, subject, pattern = both("gsub", ...)
  if not ok then return false, subject end
  local kind = type(by)
  if kind == "string" or kind == "number" then return replace(subject, pattern, by, most) end
  if kind ~= "table" and kind ~= "function" then
    return false, "bad argument #3 to 'gsub' (string/function/table expected)"
  end
  most = most == nil and 1 / 0 or tonumber(most)
  if not most then
    return false, "bad argument #4 to 'gsub' (number expected, got " .. type((select(4, ...))) .. ")"
  end
  local pieces, count, at, is_anchored = {}, 0, 1, pattern:byte() == 94
  while count < most and at <= #subject + 1 do
    local complaint, value, from, to = replaced(by, scan(subject, pattern, at, true))
    if complaint then return false, complaint end
    if not from then break end
    count = count + 1
    pieces[#pieces + 1] = subject:sub(at, from - 1)
    pieces[#pieces + 1] = value or subject:sub(from, to - 1)
    at = to
    if to == from then
      pieces[#pieces + 1] = subject:sub(at, at)
      at = at + 1
    end
    if is_anchored then break end
  end
  pieces[#pieces + 1] = subject:sub(at)
  return true, concat(pieces), count
end)

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

local api = guard_all(host.api)
api.call, api.pcall, api.acl_check_cmd = host.call, host.pcall, host.acl_check_cmd

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

setmetatable(globals, {__index = nonexistent})
local sight = {__index = globals, __newindex = refuse, __metatable = false}
local world = setmetatable({}, sight)
inside[world] = globals
globals._G = world

-- Libraries of functions. While one registers its functions, it sees nothing but this world, in
-- which nothing changes from one time to the next.

local registered
local lower, find, is_flag = string.lower, string.find, host.is_flag

local function text_of(value)
  local kind = type(value)
  if kind == "string" then return value end
  if kind == "number" then return tostring(value) end
end

local function flags_of(given)
  local flags = {}
  for place = 1, math.huge do
    local flag = rawget(given, place)
    if flag == nil then return flags end
    flag = text_of(flag)
    if not flag or not is_flag(lower(flag)) then return nil end
    flags[place] = lower(flag)
  end
end

local function by_name(given)
  if type(given) ~= "table" then
    return nil, "calling redis.register_function with a single argument is only applicable to Lua "
      .. "table (representing named arguments)."
  end
  local made = {flags = {}}
  for key, value in next, given do
    key = text_of(key)
    if not key then
      return nil, "named argument key given to redis.register_function is not a string"
    end
    key = lower(key)
    if key == "function_name" or key == "description" then
      made[key] = text_of(value)
      if not made[key] then
        return nil, key .. " argument given to redis.register_function must be a string"
      end
    elseif key == "callback" then
      if type(value) ~= "function" then
        return nil, "callback argument given to redis.register_function must be a function"
      end
      made.callback = value
    elseif key == "flags" then
      if type(value) ~= "table" then
        return nil, "flags argument to redis.register_function must be a table representing "
          .. "function flags"
      end
      made.flags = flags_of(value)
      if not made.flags then return nil, "unknown flag given" end
    else
      return nil, "unknown argument given to redis.register_function"
    end
  end
  if not made.function_name then
    return nil, "redis.register_function must get a function name argument"
  end
  if not made.callback then
    return nil, "redis.register_function must get a callback argument"
  end
  return made
end

local function by_place(name, callback)
  local made = {function_name = text_of(name), callback = callback, flags = {}}
  if not made.function_name then
    return nil, "first argument to redis.register_function must be a string"
  end
  if type(callback) ~= "function" then
    return nil, "second argument to redis.register_function must be a function"
  end
  return made
end

local function register(...)
  if not registered then
    return "redis.register_function can only be called on FUNCTION LOAD command"
  end
  local count = select("#", ...)
  local made, complaint
  if count == 1 then
    made, complaint = by_name(...)
  elseif count == 2 then
    made, complaint = by_place(...)
  else
    complaint = "wrong number of arguments to redis.register_function"
  end
  if not made then return complaint end
  local name = made.function_name
  if not find(name, "^[%w_]+$") then
    return "Library names can only contain letters, numbers, or underscores(_) and must be at "
      .. "least one character long"
  end
  if registered.callbacks[lower(name)] then return "Function already exists in the library" end
  registered.callbacks[lower(name)] = made.callback
  registered.list[#registered.list + 1] = made
end

local loading_api = {
  register_function = guard(function(...)
    local complaint = register(...)
    if complaint then return false, {err = "ERR " .. complaint} end
    return true
  end),
  log = api.log,
  REDIS_VERSION = api.REDIS_VERSION,
  REDIS_VERSION_NUM = api.REDIS_VERSION_NUM,
}
for _, level in ipairs {"DEBUG", "VERBOSE", "NOTICE", "WARNING"} do
  loading_api["LOG_" .. level] = api["LOG_" .. level]
end
loading_api = seal(setmetatable(loading_api, {__index = nonexistent}))
local loading = {redis = loading_api, server = loading_api}
setmetatable(loading, {__index = nonexistent})

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

local function prepare(can_write)
  writes, numbers, count = can_write, nil, 0
end

-- Lets a library register its functions: true and these, or false and the error.
local function enter(library)
  sight.__index, registered = loading, {callbacks = {}, list = {}}
  local ok, err = xpcall(library, trap)
  local all = registered
  sight.__index, registered = globals, nil
  if ok then return true, all end
  return false, err
end

local function load(library)
  prepare(true)
  local ok, all = enter(library)
  return ok, ok and all.list or all
end

-- A library is run anew for each call, so that nothing lasts in its local variables.
local function call_function(library, name, keys, values)
  local ok, all = enter(library)
  if not ok then return false, all end
  local callback = all.callbacks[lower(name)]
  return xpcall(function()
    local value = callback(keys, values)
    return value
  end, trap)
end

return world, load, {globals = globals, trap = trap, prepare = prepare, call = call_function}
