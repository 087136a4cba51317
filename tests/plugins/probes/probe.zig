//! Calls the host function that its input names: {"function": "log", "request": {…}}; answers the envelope.

const std = @import("std");
const agentmem = @import("agentmem");

const Asked = struct { function: []const u8, request: std.json.Value };

export fn ask() i32 {
    return agentmem.ended(answer());
}

fn answer() agentmem.Error!void {
    const asked = std.json.parseFromSliceLeaky(Asked, agentmem.allocator(), try agentmem.input(), .{}) catch
        return agentmem.Error.NoEnvelope;
    inline for (comptime std.enums.values(agentmem.Function)) |function| {
        if (std.mem.eql(u8, @tagName(function), asked.function)) {
            return agentmem.output(try agentmem.call(function, asked.request));
        }
    }
    return agentmem.Error.NoEnvelope;
}
