// The host functions as they are imported: one memory block in, one out.

@external("agentmem", "add_memory")
export declare function add_memory(request: u64): u64;

@external("agentmem", "get_memory")
export declare function get_memory(request: u64): u64;

@external("agentmem", "update_memory")
export declare function update_memory(request: u64): u64;

@external("agentmem", "delete_memory")
export declare function delete_memory(request: u64): u64;

@external("agentmem", "search_memories")
export declare function search_memories(request: u64): u64;

@external("agentmem", "store_data")
export declare function store_data(request: u64): u64;

@external("agentmem", "load_data")
export declare function load_data(request: u64): u64;

@external("agentmem", "delete_data")
export declare function delete_data(request: u64): u64;

@external("agentmem", "list_data")
export declare function list_data(request: u64): u64;

@external("agentmem", "search")
export declare function search(request: u64): u64;

@external("agentmem", "embed")
export declare function embed(request: u64): u64;

@external("agentmem", "call_llm")
export declare function call_llm(request: u64): u64;

@external("agentmem", "http_request")
export declare function http_request(request: u64): u64;

@external("agentmem", "read_file")
export declare function read_file(request: u64): u64;

@external("agentmem", "write_file")
export declare function write_file(request: u64): u64;

@external("agentmem", "list_files")
export declare function list_files(request: u64): u64;

@external("agentmem", "delete_file")
export declare function delete_file(request: u64): u64;

@external("agentmem", "log")
export declare function log(request: u64): u64;

@external("agentmem", "get_config")
export declare function get_config(request: u64): u64;
