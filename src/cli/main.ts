console.log("lathe", process.version, process.argv.slice(2));
