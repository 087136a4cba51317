//! `hello` in Zig: greets, reads its config, writes a log line, and says who it is.
//!
//! | export     | in                     | out                           |
//! |------------|------------------------|-------------------------------|
//! | `hello`    | {"message": "World"}   | {"greeting": "Hello, World!"} |
//! | `metadata` | nothing                | who the plugin is             |
//!
//! The word before the comma is the config value `greeting_word`.

const std = @import("std");
const agentmem = @import("agentmem");

const default_word = "Hello";

const expected = "The input of hello is not right. Expected {\"message\": string} and nothing else.";

const Request = struct { message: std.json.Value };
const Response = struct { greeting: []const u8 };

export fn hello() i32 {
    const input = agentmem.input() catch return agentmem.fail("There is no memory left for the input.");
    const request = std.json.parseFromSliceLeaky(Request, agentmem.allocator(), input, .{}) catch
        return agentmem.fail(expected);
    return switch (request.message) {
        .string => |message| agentmem.ended(greet(message)),
        else => agentmem.fail(expected),
    };
}

fn greet(message: []const u8) agentmem.Error!void {
    const word = wordOf(try agentmem.config("greeting_word"));
    try agentmem.log("info", "greeted", .{ .word = word, .message_bytes = message.len });
    const parts: []const []const u8 = &.{ word, ", ", message, "!" };
    try agentmem.output(Response{ .greeting = try std.mem.concat(agentmem.allocator(), u8, parts) });
}

/// The greeting word for a config value: a text that is not blank, or the default.
fn wordOf(value: ?std.json.Value) []const u8 {
    const word = switch (value orelse return default_word) {
        .string => |text| std.mem.trim(u8, text, &std.ascii.whitespace),
        else => "",
    };
    return if (word.len > 0) word else default_word;
}

export fn metadata() i32 {
    _ = agentmem.input() catch return agentmem.fail("There is no memory left for the input.");
    return agentmem.ended(agentmem.output(.{
        .name = "Hello in Zig",
        .version = "0.1.0",
        .description = "Greets with a message and logs each call",
        .author = "AgentMem",
        .plugin_type = "Custom",
        .required_capabilities = .{ "LoggingAccess", "ConfigAccess" },
        .config_schema = .{
            .type = "object",
            .additionalProperties = false,
            .properties = .{ .greeting_word = .{
                .type = "string",
                .default = default_word,
                .description = "The word before the comma",
            } },
        },
    }));
}
