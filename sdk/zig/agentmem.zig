//! A plugin's view of the host, in Zig: input, output and every host function.
//!
//! Thin on purpose: a request is any value that `std.json` can write, the data of an answer is a `std.json.Value`.
//! `docs/capabilities.md` has the requests and the data. All memory is one arena that lives until the next `input`.
//! Not here: anything about a plugin's own tools.

const std = @import("std");

const Block = u64; // an offset into the kernel's memory

const kernel = struct {
    extern "extism:host/env" fn alloc(length: u64) Block;
    extern "extism:host/env" fn free(at: Block) void;
    extern "extism:host/env" fn length(at: Block) u64;
    extern "extism:host/env" fn load_u8(at: Block) u32;
    extern "extism:host/env" fn load_u64(at: Block) u64;
    extern "extism:host/env" fn store_u8(at: Block, byte: u32) void;
    extern "extism:host/env" fn store_u64(at: Block, word: u64) void;
    extern "extism:host/env" fn input_offset() Block;
    extern "extism:host/env" fn input_length() u64;
    extern "extism:host/env" fn output_set(at: Block, length: u64) void;
    extern "extism:host/env" fn error_set(at: Block) void;
};

// A module imports only what it calls, because Zig looks at nothing else.
const imports = struct {
    pub extern "agentmem" fn add_memory(request: Block) Block;
    pub extern "agentmem" fn get_memory(request: Block) Block;
    pub extern "agentmem" fn update_memory(request: Block) Block;
    pub extern "agentmem" fn delete_memory(request: Block) Block;
    pub extern "agentmem" fn search_memories(request: Block) Block;
    pub extern "agentmem" fn store_data(request: Block) Block;
    pub extern "agentmem" fn load_data(request: Block) Block;
    pub extern "agentmem" fn delete_data(request: Block) Block;
    pub extern "agentmem" fn list_data(request: Block) Block;
    pub extern "agentmem" fn search(request: Block) Block;
    pub extern "agentmem" fn embed(request: Block) Block;
    pub extern "agentmem" fn call_llm(request: Block) Block;
    pub extern "agentmem" fn http_request(request: Block) Block;
    pub extern "agentmem" fn read_file(request: Block) Block;
    pub extern "agentmem" fn write_file(request: Block) Block;
    pub extern "agentmem" fn list_files(request: Block) Block;
    pub extern "agentmem" fn delete_file(request: Block) Block;
    pub extern "agentmem" fn log(request: Block) Block;
    pub extern "agentmem" fn get_config(request: Block) Block;
};

/// The host functions; each belongs to one capability, which the manifest must ask for.
pub const Function = std.meta.DeclEnum(imports);

/// What every host function answers. A refusal is `success == false` with a sentence and a stable `metadata.code`.
pub const Envelope = struct {
    success: bool,
    data: std.json.Value = .null,
    @"error": ?[]const u8 = null,
    metadata: std.json.Value = .null,

    /// The stable word of a refusal, such as `capability_denied`.
    pub fn code(self: Envelope) ?[]const u8 {
        const object = switch (self.metadata) {
            .object => |object| object,
            else => return null,
        };
        return switch (object.get("code") orelse return null) {
            .string => |text| text,
            else => null,
        };
    }
};

/// What ends a tool that did not call `fail`: the memory is used up, the host answered no envelope, or `refuse` said why.
pub const Error = error{ OutOfMemory, WriteFailed, NoEnvelope, Refused };

/// Levels that an input nests: `std.json` writes a value by calling itself, and 64 KiB of stack are not many.
const deepest = 64;

var arena: std.heap.ArenaAllocator = .init(std.heap.wasm_allocator);

/// Memory until the next `input`.
pub fn allocator() std.mem.Allocator {
    return arena.allocator();
}

/// What this call was given. Frees what the last call left, so it comes first in a function.
pub fn input() Error![]const u8 {
    _ = arena.reset(.retain_capacity);
    return taken(kernel.input_offset(), kernel.input_length());
}

/// Run a function on what this call was given, and answer what it gives: the whole body of an export.
///
/// `run` takes one value that `std.json` can read, and gives one that it can write, or an error.
/// An input that does not fit the type is an error that the caller reads; unknown and missing fields do not fit.
pub fn tool(comptime run: anytype) i32 {
    const Given = @typeInfo(@TypeOf(run)).@"fn".param_types[0].?;
    const text = input() catch |problem| return ended(problem);
    const given_value = read(Given, text) catch |problem| return ended(problem);
    const answer = run(given_value) catch |problem| return ended(problem);
    return ended(output(answer));
}

/// End a tool with a sentence that the caller reads: `return agentmem.refuse("…", .{});`
pub fn refuse(comptime format: []const u8, values: anytype) Error {
    _ = fail(try std.fmt.allocPrint(allocator(), format, values));
    return Error.Refused;
}

fn read(comptime T: type, text: []const u8) Error!T {
    if (!isShallow(text)) return refuse("The input is not right: it nests more than {d} levels.", .{deepest});
    return std.json.parseFromSliceLeaky(T, allocator(), text, .{}) catch |problem| switch (problem) {
        error.OutOfMemory => Error.OutOfMemory,
        else => refuse("The input is not right: {t}.", .{problem}),
    };
}

fn isShallow(text: []const u8) bool {
    var depth: usize = 0;
    var quoted = false;
    var i: usize = 0;
    while (i < text.len and depth <= deepest) : (i += 1) switch (text[i]) {
        '"' => quoted = !quoted,
        '\\' => i += 1,
        '{', '[' => depth += @intFromBool(!quoted),
        '}', ']' => depth -|= @intFromBool(!quoted),
        else => {},
    };
    return depth <= deepest;
}

/// Answer `value` as JSON.
pub fn output(value: anytype) Error!void {
    const text = try std.json.Stringify.valueAlloc(allocator(), value, .{});
    kernel.output_set(given(text), text.len);
}

/// End with an error that the caller reads; gives what the exported function returns.
pub fn fail(text: []const u8) i32 {
    kernel.error_set(given(text));
    return 1;
}

/// What an exported function returns: 0, or 1 with the error that ended it.
pub fn ended(result: Error!void) i32 {
    result catch |problem| return if (problem == Error.Refused) 1 else fail(@errorName(problem));
    return 0;
}

/// Call a host function: `call(.get_memory, .{ .id = id })`.
pub fn call(comptime function: Function, request: anytype) Error!Envelope {
    const text = try std.json.Stringify.valueAlloc(allocator(), request, .{});
    const asked = given(text);
    defer kernel.free(asked);
    const answered = @field(imports, @tagName(function))(asked);
    defer kernel.free(answered);
    const answer = try taken(answered, kernel.length(answered));
    return std.json.parseFromSliceLeaky(Envelope, allocator(), answer, .{ .ignore_unknown_fields = true }) catch
        Error.NoEnvelope;
}

/// Write one log line. A host that refuses it does not fail the call.
pub fn log(level: []const u8, message: []const u8, fields: anytype) Error!void {
    _ = try call(.log, .{ .level = level, .message = message, .fields = fields });
}

/// The config value of `key`, or null where it is unset or not to be had.
pub fn config(key: []const u8) Error!?std.json.Value {
    const answer = try call(.get_config, .{ .key = key });
    return if (answer.success and answer.data != .null) answer.data else null;
}

fn taken(at: Block, length: u64) Error![]const u8 {
    const copy = try allocator().alloc(u8, std.math.cast(usize, length) orelse return Error.OutOfMemory);
    var i: usize = 0;
    while (i + 8 <= copy.len) : (i += 8) {
        std.mem.writeInt(u64, copy[i..][0..8], kernel.load_u64(at + i), .little);
    }
    while (i < copy.len) : (i += 1) copy[i] = @truncate(kernel.load_u8(at + i));
    return copy;
}

fn given(text: []const u8) Block {
    const at = kernel.alloc(text.len);
    var i: usize = 0;
    while (i + 8 <= text.len) : (i += 8) {
        kernel.store_u64(at + i, std.mem.readInt(u64, text[i..][0..8], .little));
    }
    while (i < text.len) : (i += 1) kernel.store_u8(at + i, text[i]);
    return at;
}
