//! Generates the SPIFFE Workload API from its standard definition, without `protoc`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto/workload.proto");
    let definition = protox::compile(["workload.proto"], ["proto"])?;
    // Clients are others'.
    tonic_prost_build::configure()
        .build_client(false)
        .emit_rerun_if_changed(false)
        .compile_fds(definition)?;
    Ok(())
}
