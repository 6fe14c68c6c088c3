// Generated from openapi/openapi.json by `npm run client-types`. Do not edit.

export interface paths {
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Check that the server responds
         * @description Responds as long as the server runs, whatever the state of what it depends on.
         */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Check that the database, the registry, the disk and the workers are ready
         * @description Shows the latest results of checks that run in the background.
         */
        get: operations["getReadiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/caller": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show who sends the request
         * @description Shows who the credential of the request belongs to, and what it may do.
         */
        get: operations["getCaller"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/records": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List records, newest first
         * @description Filters can be combined. Each record is shown without its entries.
         */
        get: operations["listRecords"];
        put?: never;
        /**
         * Upload a record
         * @description The body is the record as the profiler wrote it: a stargz record file, a path list, a log of strace, fatrace, opensnoop, Inspektor Gadget, audit or stargz-snapshotter, or a list of nydus, SOCI or overlaybd. It may be compressed (`Content-Encoding`: gzip, deflate, br or zstd). `skipped` counts the lines that did not become entries; `warnings` describes possible errors in the profile. With `image`, `inImage` shows how many of the paths that image has. Uploading the same content for the same image and workload again returns the existing record with 200 and adds new labels to it.
         */
        post: operations["uploadRecord"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/records/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a record
         * @description Shows the image and the workload of the record, what became of its lines, and where it was published. Its entries are at `/v1/records/{id}/content`.
         */
        get: operations["getRecord"];
        put?: never;
        post?: never;
        /**
         * Delete a record
         * @description Record file images of the record remain in their registries.
         */
        delete: operations["deleteRecord"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/records/{id}/content": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the entries of a record
         * @description Returns the entries in the requested `format`. Default: a stargz record file, or a path list if `Accept` allows only text/plain.
         */
        get: operations["getRecordContent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/records/{id}/evaluations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Evaluate a record against an image, without converting the image
         * @description Reports which recorded paths the image has, what a start would prefetch, how much of the profiled content has changed, and what a lazy pull fetches with and without the record. Layers with a table of contents are not downloaded; other layers are read completely, which takes time.
         */
        post: operations["evaluateRecord"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/records/merges": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Merge records into a new one
         * @description Each path takes the earliest position that it has in any of the records. `provenance` of the new record lists the records and runs that it was created from.
         */
        post: operations["mergeRecords"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/records/{a}/diff/{b}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Compare two records
         * @description Lists the entries that only one of the two has, and counts those that both have.
         */
        get: operations["diffRecords"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/records/{id}/retargets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Create a record for another image from an existing one
         * @description Applies the record by path: the new record has the paths that the image has. The response lists the lost paths, each with the most similar path in the image. The new record belongs to that image.
         */
        post: operations["retargetRecord"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/records/{id}/publications": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Publish a record as a record file image
         * @description The image has one tar+gzip layer with the file `stargz.record.json`. It becomes a referrer of the profiled image: by digest if the record contains it, otherwise by the digest that the tag currently refers to.
         */
        post: operations["publishRecord"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/record-images": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List record file images
         * @description Lists record images, newest first, as the catalogue knows them: those that this broker published, and those of other tools in the backing registry, which is compared in the background. With `image`: the record images of the same digest, then those of other images of its repository. `comparedAt` shows how old the listing may be. `fresh=true` compares it with the registry first.
         */
        get: operations["listRecordImages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/record-images/{reference}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a record file image with its entries
         * @description Reads the image from its registry.
         */
        get: operations["getRecordImage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/retention": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Remove old records and record images, after a dry run
         * @description Without `plan`, nothing is removed: the response lists what the rules would remove, and the plan. With that plan, the same items are removed; if the rules would select different items by now, the response is 409.
         */
        post: operations["applyRetention"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List conversions, newest first
         * @description With `finishedFrom` or `finishedBefore`, the list contains finished conversions only, and those that finished last come first.
         */
        get: operations["listConversions"];
        put?: never;
        /**
         * Convert an image to eStargz
         * @description Creates a job, which a worker runs, and responds at once, or after the time in `Prefer: wait=SECONDS`. The target tag moves when the image is complete. If an equivalent conversion is queued or running, the response shows that one instead.
         */
        post: operations["createConversion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a conversion with its progress, attempts and report
         * @description With `Prefer: wait=SECONDS`, responds when the conversion has finished, or after that time.
         */
        get: operations["getConversion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversions/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a conversion
         * @description Cancels a queued conversion at once. A running one stops within one or two seconds, without moving a tag; `Prefer: wait=SECONDS` waits until it has stopped. Cancelling again has no effect.
         */
        post: operations["cancelConversion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversions/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Retry a failed or cancelled conversion
         * @description Returns the conversion to the queue under the same id. Its earlier attempts remain visible.
         */
        post: operations["retryConversion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversions/counts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Count conversions by state
         * @description Counts all conversions that the caller sees, without reading them.
         */
        get: operations["countConversions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversions/series": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show what conversions did per hour or per day
         * @description The series has one item for each interval of UTC, oldest first, also where nothing happened. A conversion counts in the interval in which it ended. One that is retried by request counts again when it ends again. Hours are kept for `RECORD_BROKER_HOURLY_SERIES_DAYS` and days for `RECORD_BROKER_DAILY_SERIES_DAYS`. A series has at most 1000 items.
         */
        get: operations["readConversionSeries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversions/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Stream the events of a conversion
         * @description Starts with the first event of the conversion, or after `Last-Event-ID`. Events of type `progress` have no id. The stream ends when the conversion has finished; a client that reconnects after that gets 204 and stops.
         */
        get: operations["streamConversionEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversions/{id}/callbacks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the callbacks of a conversion and their delivery attempts
         * @description Shows whether the end of the conversion was reported to its `callbackUrl`, and each attempt to do so.
         */
        get: operations["listConversionCallbacks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversions/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel the conversions that match a filter
         * @description Cancels queued conversions at once, and running ones within one or two seconds. Those that have finished do not match. One request changes at most 1000; the response contains `next` if further ones may match. Sending a request again does no harm.
         */
        post: operations["cancelConversions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversions/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Retry the conversions that match a filter
         * @description Returns failed and cancelled conversions to the queue, the oldest of them first. If the queue has fewer free places, it retries as many as it has places for. Those whose images the caller may not use are left alone, and listed in `refused`. One request changes at most 1000; the response contains `next` if further ones may match. Sending a request again does no harm.
         */
        post: operations["retryConversions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Stream the events of all jobs that the caller sees
         * @description Starts with new events, or after `Last-Event-ID`. Events are stored for 30 days. In between there are events of type `progress` without an id: at most one per job and second, and only the latest of each job.
         */
        get: operations["streamEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/rules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the rules
         * @description Shows all rules with their settings.
         */
        get: operations["listRules"];
        put?: never;
        /**
         * Create a rule that converts pushed images
         * @description The rule applies to pushes from now on. It belongs to the project of the caller, and converts images that this project may read to targets that it may write.
         */
        post: operations["createRule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/rules/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a rule
         * @description Shows all settings of the rule.
         */
        get: operations["getRule"];
        /**
         * Replace a rule
         * @description Replaces all settings: fields that the request omits get their defaults. The rule applies to pushes from now on.
         */
        put: operations["replaceRule"];
        post?: never;
        /**
         * Delete a rule
         * @description Conversions that the rule has started are not affected.
         */
        delete: operations["deleteRule"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/hooks/distribution": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Receive notifications of a distribution registry
         * @description Starts the conversions that matching rules specify: the rules of all projects if the notification has the secret of its sender, those of its project if it has another credential. Sending a notification again does not convert an image again, unless its conversion failed.
         */
        post: operations["hookDistribution"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/hooks/harbor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Receive webhooks of Harbor
         * @description Starts the conversions that matching rules specify: the rules of all projects if the notification has the secret of its sender, those of its project if it has another credential. Sending a notification again does not convert an image again, unless its conversion failed.
         */
        post: operations["hookHarbor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/hooks/cloudevents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Receive CloudEvents of zot or Harbor
         * @description Starts the conversions that matching rules specify: the rules of all projects if the notification has the secret of its sender, those of its project if it has another credential. Sending a notification again does not convert an image again, unless its conversion failed.
         */
        post: operations["hookCloudEvents"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversion-batches": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List batches, newest first
         * @description Shows the number of conversions in each state for each batch.
         */
        get: operations["listBatches"];
        put?: never;
        /**
         * Convert up to 1000 images
         * @description Accepts all conversions, or none. A conversion that is equivalent to a queued or running one joins it.
         */
        post: operations["createBatch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversion-batches/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show the state of a batch
         * @description Shows the number of its conversions in each state.
         */
        get: operations["getBatch"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversion-batches/{id}/conversions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the conversions of a batch, in the order of the request
         * @description Shows a summary of each conversion.
         */
        get: operations["listBatch"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/conversion-batches/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel the unfinished conversions of a batch
         * @description A conversion that other requests have joined is cancelled for them, too.
         */
        post: operations["cancelBatch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/verifications": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List verifications, newest first
         * @description With `finishedFrom` or `finishedBefore`, the list contains finished verifications only, and those that finished last come first.
         */
        get: operations["listVerifications"];
        put?: never;
        /**
         * Verify an eStargz image
         * @description Creates a job that reads every layer and checks the digests of tables of contents, chunks and files, and the diffIDs. With `source`, it also checks that both root file systems have the same content. If an equivalent verification is queued or running, the response shows that one instead.
         */
        post: operations["createVerification"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/verifications/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a verification with its attempts and report
         * @description With `Prefer: wait=SECONDS`, responds when the verification has finished, or after that time.
         */
        get: operations["getVerification"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/verifications/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a verification
         * @description Cancels a queued verification at once. A running one stops within one or two seconds, without moving a tag; `Prefer: wait=SECONDS` waits until it has stopped. Cancelling again has no effect.
         */
        post: operations["cancelVerification"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/verifications/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Retry a failed or cancelled verification
         * @description Returns the verification to the queue under the same id. Its earlier attempts remain visible.
         */
        post: operations["retryVerification"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/verifications/counts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Count verifications by state
         * @description Counts all verifications that the caller sees, without reading them.
         */
        get: operations["countVerifications"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/verifications/series": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show what verifications did per hour or per day
         * @description The series has one item for each interval of UTC, oldest first, also where nothing happened. A verification counts in the interval in which it ended. One that is retried by request counts again when it ends again. Hours are kept for `RECORD_BROKER_HOURLY_SERIES_DAYS` and days for `RECORD_BROKER_DAILY_SERIES_DAYS`. A series has at most 1000 items.
         */
        get: operations["readVerificationSeries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/verifications/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Stream the events of a verification
         * @description Starts with the first event of the verification, or after `Last-Event-ID`. Events of type `progress` have no id. The stream ends when the verification has finished; a client that reconnects after that gets 204 and stops.
         */
        get: operations["streamVerificationEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/verifications/{id}/callbacks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the callbacks of a verification and their delivery attempts
         * @description Shows whether the end of the verification was reported to its `callbackUrl`, and each attempt to do so.
         */
        get: operations["listVerificationCallbacks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/verifications/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel the verifications that match a filter
         * @description Cancels queued verifications at once, and running ones within one or two seconds. Those that have finished do not match. One request changes at most 1000; the response contains `next` if further ones may match. Sending a request again does no harm.
         */
        post: operations["cancelVerifications"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/verifications/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Retry the verifications that match a filter
         * @description Returns failed and cancelled verifications to the queue, the oldest of them first. If the queue has fewer free places, it retries as many as it has places for. Those whose images the caller may not use are left alone, and listed in `refused`. One request changes at most 1000; the response contains `next` if further ones may match. Sending a request again does no harm.
         */
        post: operations["retryVerifications"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/cache": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show the cached conversion results and how often they were used
         * @description Shows the number of entries of the project, and how often its conversions found what they needed in the last `days`. An administrator sees all projects.
         */
        get: operations["getCache"];
        put?: never;
        post?: never;
        /**
         * Remove all or some entries from the cache
         * @description Without filters, removes all entries of the project; an administrator removes those of all projects. The converted content stays in its registry; later conversions convert it again.
         */
        delete: operations["purgeCache"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/cache/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Check all entries against their registries now
         * @description Workers check in small steps whether the registries still have the cached content, and remove entries without it. They also do so once a day on their own. Conversions check every entry that they use in any case.
         */
        post: operations["checkCache"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/images": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List images
         * @description Lists the images of the backing registry and those of conversions that the caller may read, as the catalogue knows them, those first that were seen last. Each shows what it was converted from and how many record images belong to it. Record images have a listing of their own.
         */
        get: operations["listImages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/image-relations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show what belongs to an image
         * @description Shows the record images that belong to the image, the conversions of it, the conversions that made it, and those that used it as a record image. The response comes from the catalogue.
         */
        get: operations["getImageRelations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/images/{reference}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Inspect an image
         * @description Reads the manifests and configs, and the footer and table of contents of each layer, without downloading whole layers.
         */
        get: operations["inspectImage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/projects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the projects by name
         * @description The project `default` always exists.
         */
        get: operations["listProjects"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/projects/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a project
         * @description Callers without the scope `admin` see their own project.
         */
        get: operations["getProject"];
        /**
         * Create a project, or replace its rules
         * @description Fields that the request omits get their defaults. Other replicas apply the rules within five seconds.
         */
        put: operations["putProject"];
        post?: never;
        /**
         * Delete a project
         * @description Its usable API tokens must be revoked before, and its jobs finished. Its registry credentials are deleted with it. Its records and images remain, for administrators and for a later project with the same name.
         */
        delete: operations["deleteProject"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/projects/{name}/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show what a project uses of its quotas
         * @description Callers without the scope `admin` see their own project.
         */
        get: operations["getProjectUsage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List API tokens, newest first
         * @description Tokens that have expired or were revoked are listed for 90 days more.
         */
        get: operations["listTokens"];
        put?: never;
        /**
         * Create an API token
         * @description The response is the only one with the secret. A request that is sent again with the same `Idempotency-Key` is refused with 409, and names the token.
         */
        post: operations["createToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show an API token
         * @description Shows everything but the secret.
         */
        get: operations["getToken"];
        put?: never;
        post?: never;
        /**
         * Revoke an API token
         * @description It is not accepted from now on; other replicas may accept it for five seconds more. Lists show it for 90 days.
         */
        delete: operations["revokeToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tokens/{id}/rotation": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Replace an API token by one with the same rights
         * @description The former token remains valid for the time of the overlap.
         */
        post: operations["rotateToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/registry-credentials": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List registry credentials by project and host
         * @description Passwords are not shown. They are those of the project in the header `Record-Broker-Project`, or else of all projects.
         */
        get: operations["listRegistryCredentials"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/registry-credentials/{host}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a registry credential
         * @description Shows everything but the password. They are those of the project in the header `Record-Broker-Project`, or else of the project `default`.
         */
        get: operations["getRegistryCredential"];
        /**
         * Store a registry credential, or replace it
         * @description The password is encrypted, and used for jobs and requests of this project only. Jobs that start from now on use it. The embedded registry needs none, and hosts that the broker may not use are refused. They are those of the project in the header `Record-Broker-Project`, or else of the project `default`.
         */
        put: operations["putRegistryCredential"];
        post?: never;
        /**
         * Delete a registry credential
         * @description Jobs and requests that start from now on do not use it. They are those of the project in the header `Record-Broker-Project`, or else of the project `default`.
         */
        delete: operations["deleteRegistryCredential"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List who did what, newest first
         * @description Changes, and requests that were refused. With `Accept: application/x-ndjson`, all events of the period are sent, one JSON document a line, and `limit` has no meaning. A response that is broken off by the deadline of requests continues with `cursor`, the id of its last line.
         */
        get: operations["listAuditLog"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export interface webhooks {
    jobFinished: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A job has finished
         * @description Sent to the `callbackUrl` of a conversion or verification, signed according to Standard Webhooks with `RECORD_BROKER_CALLBACK_SECRET`. It may arrive more than once, with the same `webhook-id`.
         */
        post: operations["jobFinished"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export interface components {
    schemas: {
        /** @description An API token without its secret. */
        ApiToken: {
            id: string;
            name: string;
            /** @description The beginning of the secret, by which you can tell tokens apart. */
            prefix: string;
            project: components["schemas"]["ProjectName"];
            scopes: components["schemas"]["Scope"][];
            /** @description The repositories that it may read, of those of its project. */
            read: components["schemas"]["RepositoryPattern"][];
            /** @description The repositories that it may write and delete, of those of its project. */
            write: components["schemas"]["RepositoryPattern"][];
            /**
             * @description Only a usable token is accepted.
             * @enum {string}
             */
            state: "usable" | "expired" | "revoked";
            /** @description Who created the token. */
            createdBy: string;
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description When it expires, or has expired. Missing: it does not.
             */
            expiresAt?: string;
            /**
             * Format: date-time
             * @description The last use, to the minute.
             */
            usedAt?: string;
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            revokedAt?: string;
            /** @description The id of the token that took its place. */
            successor?: string;
        };
        /** @description A page of API tokens. */
        ApiTokenPage: {
            items: components["schemas"]["ApiToken"][];
            next?: string;
        };
        /**
         * @description A new API token.
         * @example {
         *       "name": "ci of team-a",
         *       "project": "team-a",
         *       "scopes": [
         *         "records:write",
         *         "conversions:write"
         *       ]
         *     }
         */
        ApiTokenRequest: {
            /** @description What the token is for. */
            name: string;
            /** @description Default: the project of the request, or `default`. Required if the request works in no single project and the broker has others than `default`, except for the scope `admin`. */
            project?: components["schemas"]["ProjectName"];
            scopes: components["schemas"]["Scope"][];
            /**
             * @description The repositories that it may read, of those that its project may read.
             * @default [
             *       "**"
             *     ]
             */
            read?: components["schemas"]["RepositoryPattern"][];
            /**
             * @description The repositories that it may write and delete, of those that its project may.
             * @default [
             *       "**"
             *     ]
             */
            write?: components["schemas"]["RepositoryPattern"][];
            /** @description The time until it expires; `null`: it does not. Default: 90 days, or `RECORD_BROKER_TOKEN_MAX_DAYS` if that is less. */
            lifetimeSeconds?: number | null;
        };
        /**
         * @description How to replace an API token.
         * @example {
         *       "overlapSeconds": 3600
         *     }
         */
        ApiTokenRotation: {
            /**
             * @description How long the former token remains valid; 0: not at all.
             * @default 86400
             */
            overlapSeconds?: number;
            /** @description The time until the new token expires; `null`: it does not. Default: as long as the former one from its creation. */
            lifetimeSeconds?: number | null;
        };
        /** @description A record image that was published as a referrer of the converted image. */
        AttachedRecord: {
            reference: string;
            /** @description The digest of the converted manifest or index. */
            subject: string;
        };
        /** @description What someone did, or tried to do. */
        AuditEntry: {
            id: string;
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            at: string;
            caller: {
                /** @description How it identified itself: `operator`, `local`, `token`, `workload`, `person`, `hook`, `worker`, or `anonymous`. */
                kind: string;
                subject?: string;
                /** @description The issuer of its OIDC token. */
                issuer?: string;
                /** @description The id of its API token. */
                tokenId?: string;
            };
            project?: string;
            /** @description The operation of the API, such as `createConversion`, or of the registry. */
            action: string;
            method: string;
            /**
             * @description `denied` by the rules of access, or `failed` for another reason.
             * @enum {string}
             */
            outcome: "allowed" | "denied" | "failed";
            /** @description The HTTP status. */
            status: number;
            code?: string;
            /** @description The host `embedded` is the registry of the broker itself. */
            repository?: string;
            /** @description The id or name of what was acted on. */
            resource?: string;
            /** @description Where the request came from. */
            address?: string;
            requestId?: string;
            /** @description How many requests there were: those that are refused or fail again and again make one event. */
            count: number;
        };
        /** @description A page of the audit log, newest first. */
        AuditPage: {
            items: components["schemas"]["AuditEntry"][];
            next?: string;
        };
        /**
         * @description An event of any job: the fields of a server-sent event, with its `data` decoded.
         * @example {
         *       "id": "4711.3.019ab1c2-7a30-7000-8000-4b1c2d3e4f50",
         *       "event": "succeeded",
         *       "data": {
         *         "jobId": "019ab1c2-7a30-7000-8000-4b1c2d3e4f50",
         *         "seq": 3,
         *         "createdAt": "2026-01-02T03:04:05.678Z",
         *         "attempt": 1,
         *         "digest": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
         *         "target": "registry.example/team/app:1.0-esgz",
         *         "project": "default",
         *         "kind": "conversion",
         *         "source": "registry.example/team/app:1.0"
         *       }
         *     }
         */
        BrokerEvent: {
            /** @description The position after which a stream continues (`Last-Event-ID`). */
            id: string;
            /** @constant */
            event: "queued";
            data: {
                jobId: string;
                /** @description The number of the event among those of the job, counted from 1. */
                seq: number;
                /**
                 * Format: date-time
                 * @description A time in UTC (RFC 3339).
                 */
                createdAt: string;
                /** @description The project that the job belongs to. */
                project: string;
                /** @enum {string} */
                kind: "conversion" | "verification";
                /** @description The image to convert or to verify. */
                source: string;
                /** @description The converted image; empty for a verification. */
                target: string;
                /**
                 * @description A failed or cancelled job was returned to the queue.
                 * @constant
                 */
                retry?: true;
            };
        } | {
            /** @description The position after which a stream continues (`Last-Event-ID`). */
            id: string;
            /** @constant */
            event: "started";
            data: {
                jobId: string;
                /** @description The number of the event among those of the job, counted from 1. */
                seq: number;
                /**
                 * Format: date-time
                 * @description A time in UTC (RFC 3339).
                 */
                createdAt: string;
                /** @description The project that the job belongs to. */
                project: string;
                /** @enum {string} */
                kind: "conversion" | "verification";
                /** @description The image to convert or to verify. */
                source: string;
                /** @description The converted image; empty for a verification. */
                target: string;
                /** @description The attempt, counted from 1. */
                attempt: number;
                worker: string;
            };
        } | {
            /** @description The position after which a stream continues (`Last-Event-ID`). */
            id: string;
            /** @constant */
            event: "retrying";
            data: {
                jobId: string;
                /** @description The number of the event among those of the job, counted from 1. */
                seq: number;
                /**
                 * Format: date-time
                 * @description A time in UTC (RFC 3339).
                 */
                createdAt: string;
                /** @description The project that the job belongs to. */
                project: string;
                /** @enum {string} */
                kind: "conversion" | "verification";
                /** @description The image to convert or to verify. */
                source: string;
                /** @description The converted image; empty for a verification. */
                target: string;
                /** @description The attempt, counted from 1. */
                attempt: number;
                error: components["schemas"]["JobError"];
                /** @description The time until the next attempt, in milliseconds. */
                delayMs: number;
            };
        } | {
            /** @description The position after which a stream continues (`Last-Event-ID`). */
            id: string;
            /** @constant */
            event: "throttled";
            data: {
                jobId: string;
                /** @description The number of the event among those of the job, counted from 1. */
                seq: number;
                /**
                 * Format: date-time
                 * @description A time in UTC (RFC 3339).
                 */
                createdAt: string;
                /** @description The project that the job belongs to. */
                project: string;
                /** @enum {string} */
                kind: "conversion" | "verification";
                /** @description The image to convert or to verify. */
                source: string;
                /** @description The converted image; empty for a verification. */
                target: string;
                /** @description The attempt, counted from 1. */
                attempt: number;
                error: components["schemas"]["JobError"];
                /** @description The time until the next attempt, in milliseconds. */
                delayMs: number;
                /** @description The registry. */
                host?: string;
            };
        } | {
            /** @description The position after which a stream continues (`Last-Event-ID`). */
            id: string;
            /** @constant */
            event: "released";
            data: {
                jobId: string;
                /** @description The number of the event among those of the job, counted from 1. */
                seq: number;
                /**
                 * Format: date-time
                 * @description A time in UTC (RFC 3339).
                 */
                createdAt: string;
                /** @description The project that the job belongs to. */
                project: string;
                /** @enum {string} */
                kind: "conversion" | "verification";
                /** @description The image to convert or to verify. */
                source: string;
                /** @description The converted image; empty for a verification. */
                target: string;
                /** @description The attempt, counted from 1. */
                attempt: number;
                error?: components["schemas"]["JobError"];
            };
        } | {
            /** @description The position after which a stream continues (`Last-Event-ID`). */
            id: string;
            /** @constant */
            event: "crashed";
            data: {
                jobId: string;
                /** @description The number of the event among those of the job, counted from 1. */
                seq: number;
                /**
                 * Format: date-time
                 * @description A time in UTC (RFC 3339).
                 */
                createdAt: string;
                /** @description The project that the job belongs to. */
                project: string;
                /** @enum {string} */
                kind: "conversion" | "verification";
                /** @description The image to convert or to verify. */
                source: string;
                /** @description The converted image; empty for a verification. */
                target: string;
                /** @description The attempt, counted from 1. */
                attempt: number;
                error: components["schemas"]["JobError"];
            };
        } | {
            /** @description The position after which a stream continues (`Last-Event-ID`). */
            id: string;
            /** @constant */
            event: "cancel-requested";
            data: {
                jobId: string;
                /** @description The number of the event among those of the job, counted from 1. */
                seq: number;
                /**
                 * Format: date-time
                 * @description A time in UTC (RFC 3339).
                 */
                createdAt: string;
                /** @description The project that the job belongs to. */
                project: string;
                /** @enum {string} */
                kind: "conversion" | "verification";
                /** @description The image to convert or to verify. */
                source: string;
                /** @description The converted image; empty for a verification. */
                target: string;
            };
        } | {
            /** @description The position after which a stream continues (`Last-Event-ID`). */
            id: string;
            /** @constant */
            event: "succeeded";
            data: {
                jobId: string;
                /** @description The number of the event among those of the job, counted from 1. */
                seq: number;
                /**
                 * Format: date-time
                 * @description A time in UTC (RFC 3339).
                 */
                createdAt: string;
                /** @description The project that the job belongs to. */
                project: string;
                /** @enum {string} */
                kind: "conversion" | "verification";
                /** @description The image to convert or to verify. */
                source: string;
                /** @description The converted image. */
                target?: string;
                /** @description The attempt, counted from 1. */
                attempt: number;
                /** @description The digest of the converted image. */
                digest?: string;
                /** @description Whether a verification found no problem. */
                verified?: boolean;
            };
        } | {
            /** @description The position after which a stream continues (`Last-Event-ID`). */
            id: string;
            /** @constant */
            event: "failed";
            data: {
                jobId: string;
                /** @description The number of the event among those of the job, counted from 1. */
                seq: number;
                /**
                 * Format: date-time
                 * @description A time in UTC (RFC 3339).
                 */
                createdAt: string;
                /** @description The project that the job belongs to. */
                project: string;
                /** @enum {string} */
                kind: "conversion" | "verification";
                /** @description The image to convert or to verify. */
                source: string;
                /** @description The converted image; empty for a verification. */
                target: string;
                /** @description The attempt, counted from 1. */
                attempt: number;
                error: components["schemas"]["JobError"];
            };
        } | {
            /** @description The position after which a stream continues (`Last-Event-ID`). */
            id: string;
            /** @constant */
            event: "cancelled";
            data: {
                jobId: string;
                /** @description The number of the event among those of the job, counted from 1. */
                seq: number;
                /**
                 * Format: date-time
                 * @description A time in UTC (RFC 3339).
                 */
                createdAt: string;
                /** @description The project that the job belongs to. */
                project: string;
                /** @enum {string} */
                kind: "conversion" | "verification";
                /** @description The image to convert or to verify. */
                source: string;
                /** @description The converted image; empty for a verification. */
                target: string;
                /** @description The attempt, counted from 1. */
                attempt?: number;
                error?: components["schemas"]["JobError"];
            };
        } | {
            /** @constant */
            event: "progress";
            data: {
                jobId: string;
                /** @description The project that the job belongs to. */
                project: string;
                /** @enum {string} */
                kind: "conversion" | "verification";
                /** @description The image to convert or to verify. */
                source: string;
                /** @description The converted image; empty for a verification. */
                target: string;
                progress: components["schemas"]["ProgressSummary"];
            };
        };
        /**
         * @description The jobs that a request cancelled or retried.
         * @example {
         *       "jobCount": 1,
         *       "ids": [
         *         "019ab1c2-7a30-7000-8000-4b1c2d3e4f50"
         *       ]
         *     }
         */
        BulkResult: {
            /** @description The number of `ids`. */
            jobCount: number;
            /** @description The jobs that changed, or that match in a dry run. */
            ids: string[];
            /** @description Jobs that were not retried, because an equivalent one is queued or running. */
            conflicts?: {
                id: string;
                equivalentId: string;
            }[];
            /** @description Jobs that were not retried, because the caller or their project may not use their images. */
            refused?: {
                id: string;
                code: string;
                message: string;
            }[];
            /** @description Further jobs may match: send the request again with this value as `cursor`. */
            next?: string;
        };
        /** @description The number of affected entries. */
        CacheEntryCounts: {
            layerCount: number;
            imageCount: number;
        };
        /** @description The cached entries of one kind. */
        CacheTotals: {
            entryCount: number;
            /** @description The total size of the cached layers, or of the manifests of the cached images, in bytes. */
            bytes: number;
            /**
             * Format: date-time
             * @description The last use of the least recently used entry, which is evicted first.
             */
            oldestUsedAt?: string;
            /**
             * Format: date-time
             * @description All entries were checked against their registries at this time or later.
             */
            oldestCheckedAt?: string;
        };
        /** @description How often conversions found a cached result. */
        CacheUse: {
            /** @description The share of lookups that were `reused`. Omitted if there were no lookups. */
            hitRate?: number;
            /** @description Lookups that found an entry which was still in the registry. */
            reused: number;
            /** @description Layers that were created from a cached layer by changing the order of its files. */
            rearranged?: number;
            /** @description Lookups without a usable entry: the source was converted. */
            converted: number;
            /** @description Entries that were removed because the registry no longer had their content. */
            gone: number;
            /** @description The size of the converted layers that were reused, in bytes. */
            bytesReused: number;
        };
        /**
         * @description The message of a callback: a job has finished.
         * @example {
         *       "type": "conversion.succeeded",
         *       "timestamp": "2026-01-02T03:04:05.678Z",
         *       "data": {
         *         "id": "019ab1c2-7a30-7000-8000-4b1c2d3e4f50",
         *         "state": "succeeded",
         *         "source": "registry.example/team/app:1.0",
         *         "target": "registry.example/team/app:1.0-esgz",
         *         "labels": {
         *           "pipeline": "4711"
         *         },
         *         "digest": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
         *       }
         *     }
         */
        CallbackMessage: {
            /** @enum {string} */
            type: "conversion.succeeded" | "conversion.failed" | "conversion.cancelled" | "verification.succeeded" | "verification.failed" | "verification.cancelled";
            /**
             * Format: date-time
             * @description When the job finished.
             */
            timestamp: string;
            data: {
                /** @description The id of the job. */
                id: string;
                state: components["schemas"]["JobState"];
                /** @description The image to convert or to verify. */
                source: string;
                /** @description The converted image; empty for a verification. */
                target: string;
                labels: {
                    [key: string]: string;
                };
                error?: components["schemas"]["JobError"];
                /** @description The digest of the converted image. */
                digest?: string;
            };
        };
        /**
         * @description Who sends a request, and what it may do.
         * @example {
         *       "kind": "workload",
         *       "subject": "repo:octo-org/octo-repo:ref:refs/heads/main",
         *       "issuer": "https://token.actions.githubusercontent.com",
         *       "project": "team-a",
         *       "seesAllProjects": false,
         *       "scopes": [
         *         "conversions:read",
         *         "conversions:write"
         *       ],
         *       "read": [
         *         [
         *           "registry.example/team-a/**"
         *         ]
         *       ],
         *       "write": [
         *         [
         *           "registry.example/team-a/**"
         *         ]
         *       ]
         *     }
         */
        Caller: {
            /**
             * @description How the caller identified itself: by the token of the settings, by nothing, by an API token, by a token of an OIDC issuer, by a login, or as a registry or a process of the broker.
             * @enum {string}
             */
            kind: "operator" | "local" | "token" | "workload" | "person" | "hook" | "worker";
            /** @description Who it is: the name of a token, or the `sub` of an OIDC token. */
            subject: string;
            /** @description The OIDC issuer that knows the subject. */
            issuer?: string;
            /** @description The id of the API token. */
            tokenId?: string;
            /** @description The project that new records and jobs belong to. */
            project: string;
            /** @description Whether it also sees what belongs to other projects. */
            seesAllProjects: boolean;
            scopes: components["schemas"]["Scope"][];
            /** @description The repositories that it may read: those that match a pattern of every list. No list is no restriction. */
            read: string[][];
            /** @description The repositories that it may write, in the same way. */
            write: string[][];
        };
        /**
         * @description An event of zot or Harbor as a CloudEvent 1.0 in JSON.
         * @example {
         *       "specversion": "1.0",
         *       "type": "zotregistry.image.updated",
         *       "source": "registry.example",
         *       "data": {
         *         "name": "team/app",
         *         "reference": "1.0",
         *         "digest": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
         *       }
         *     }
         */
        CloudEvent: {
            specversion: string;
            type: string;
            source?: string;
            data: unknown;
        };
        /**
         * @description A job that converts an image.
         * @example {
         *       "id": "019ab1c2-7a30-7000-8000-4b1c2d3e4f50",
         *       "project": "default",
         *       "state": "queued",
         *       "attemptCount": 0,
         *       "createdAt": "2026-01-02T03:04:05.678Z",
         *       "labels": {
         *         "pipeline": "4711"
         *       },
         *       "priority": 0,
         *       "source": "registry.example/team/app:1.0",
         *       "target": "registry.example/team/app:1.0-esgz",
         *       "request": {
         *         "source": "registry.example/team/app:1.0",
         *         "target": "registry.example/team/app:1.0-esgz"
         *       },
         *       "attempts": [],
         *       "tags": []
         *     }
         */
        Conversion: {
            id: string;
            /** @description The project that the job belongs to. */
            project: string;
            state: components["schemas"]["JobState"];
            error?: components["schemas"]["JobError"];
            /** @description The number of times that a worker has started the job. */
            attemptCount: number;
            /**
             * @description Cancellation was requested; the job stops soon.
             * @constant
             */
            cancelRequested?: true;
            /**
             * Format: date-time
             * @description When a queued job is retried after a failed attempt.
             */
            nextAttemptAt?: string;
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description When a worker first started the job. A retry by request clears it.
             */
            startedAt?: string;
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            finishedAt?: string;
            /** @description Only while the conversion is running. */
            progress?: components["schemas"]["ConversionProgress"];
            labels: {
                [key: string]: string;
            };
            priority: number;
            /** @description The `X-Request-Id` of the request that created the job; log lines about the job contain it. */
            requestId?: string;
            source: string;
            target: string;
            request: components["schemas"]["ConversionRequest"];
            /** @description Only while the conversion is queued, and only if it is requested by its id. */
            waiting?: components["schemas"]["JobWaiting"];
            /** @description Only if the conversion succeeded. */
            report?: components["schemas"]["ConversionReport"];
            attempts: components["schemas"]["JobAttempt"][];
            /** @description The tags that the conversion moves. Tags that another conversion has moved since are omitted. */
            tags: components["schemas"]["TagMove"][];
        };
        /**
         * @description Conversions that were created by one request.
         * @example {
         *       "id": "019ab1c2-7a30-7000-8000-4b1c2d3e4f50",
         *       "project": "default",
         *       "state": "running",
         *       "counts": {
         *         "queued": 1,
         *         "running": 1,
         *         "succeeded": 0,
         *         "failed": 0,
         *         "cancelled": 0
         *       },
         *       "labels": {
         *         "release": "2026-01"
         *       },
         *       "createdAt": "2026-01-02T03:04:05.678Z"
         *     }
         */
        ConversionBatch: {
            id: string;
            /** @description The project that the batch belongs to. */
            project: string;
            /**
             * @description `running`: some conversions have not finished. `succeeded`: all conversions succeeded. `failed`: all have finished, and at least one failed or was cancelled.
             * @enum {string}
             */
            state: "running" | "succeeded" | "failed";
            counts: components["schemas"]["JobCounts"];
            labels: {
                [key: string]: string;
            };
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            createdAt: string;
        };
        /** @description The conversions of a batch, in the order of the request. */
        ConversionBatchItems: {
            items: components["schemas"]["ConversionSummary"][];
            next?: string;
        };
        /** @description A page of batches, newest first. */
        ConversionBatchPage: {
            items: components["schemas"]["ConversionBatch"][];
            next?: string;
        };
        /** @description The cached conversion results and how often they were used. */
        ConversionCache: {
            layers: components["schemas"]["CacheTotals"];
            images: components["schemas"]["CacheTotals"];
            /** @description The number of days that `uses` covers, including today, in UTC. */
            days: number;
            uses: {
                /** @description Lookups of whole images. */
                images: components["schemas"]["CacheUse"];
                /** @description Lookups of layers, for images that were not found as a whole. */
                layers: components["schemas"]["CacheUse"];
            };
        };
        /**
         * @description The conversions to cancel. At least one filter is required, and all of them have to match.
         * @example {
         *       "labels": {
         *         "pipeline": "4711"
         *       }
         *     }
         */
        ConversionCancellationFilter: {
            source?: string;
            target?: string;
            /**
             * Format: uuid
             * @description Only the conversions of this batch.
             */
            batch?: string;
            /** @description Only jobs in one of these states. Default: both. */
            state?: ("queued" | "running")[];
            /** @description Only jobs with all of these labels. */
            labels?: {
                [key: string]: string;
            };
            /** @description Only jobs whose source or target is in this repository. */
            repository?: string;
            /**
             * Format: date-time
             * @description Only jobs created at this time or later.
             */
            createdFrom?: string;
            /**
             * Format: date-time
             * @description Only jobs created before this time.
             */
            createdBefore?: string;
            /**
             * Format: date-time
             * @description Only jobs that finished at this time or later.
             */
            finishedFrom?: string;
            /**
             * Format: date-time
             * @description Only jobs that finished before this time.
             */
            finishedBefore?: string;
            /** @description The value of `next` in the previous response. */
            cursor?: string;
            /** @description Only those of this project. Default: all that the caller sees: an administrator those of all projects, others those of their own. */
            project?: components["schemas"]["ProjectName"];
            /** @description The maximum number of jobs, up to 1000. Default: 1000. */
            limit?: number;
            /** @description Only lists the jobs that match. Default: false. */
            dryRun?: boolean;
        };
        /** @description How layers, manifests and indexes are written. */
        ConversionOptions: {
            /**
             * @description The format of converted layers: estargz (gzip), the default, or zstd-chunked (zstd:chunked).
             * @enum {string}
             */
            format?: "estargz" | "zstd-chunked";
            /**
             * @description How layers are compressed. transcode: reuses the matches of the source's gzip stream; refine: reuses them and searches briefly for better ones; recompress: compresses anew with zlib; auto, the default: transcode, or refine where that saves enough bytes. Sources that are not gzip are always recompressed, and so are layers in the format zstd-chunked.
             * @enum {string}
             */
            compression?: "auto" | "transcode" | "refine" | "recompress";
            /** @description The level of layers that are recompressed: 0 to 9 for zlib, default: 6; 1 to 22 for zstd, default: 3. A level without the option compression recompresses all layers. */
            compressionLevel?: number;
            /** @description The maximum size of a chunk in bytes; readers fetch and verify files chunk by chunk. Default: 4194304. */
            chunkSize?: number;
            /** @description Files smaller than this share a compressed member until it holds this many uncompressed bytes. This makes layers smaller, but older readers cannot read them. Default: 0, each chunk has a member of its own. */
            minChunkSize?: number;
            /** @description Whether tables of contents are stored in an image of their own, whose tag is the target tag with the suffix -esgztoc. Default: false. */
            externalToc?: boolean;
            /** @description Whether the tar archives of the layers, and so their diffIDs, stay unchanged. Requires externalToc, and cannot be combined with a record. Default: false. */
            keepDiffId?: boolean;
            /**
             * @description The reader that zstd:chunked layers are annotated for, as containers/storage rejects an image with the annotations of both: stargz-snapshotter, the default, or containers-storage (podman, CRI-O), for which tar-split data is added so that it can pull partially.
             * @enum {string}
             */
            reader?: "stargz-snapshotter" | "containers-storage";
            /**
             * @description Whether the attestation manifests of an index are dropped, the default, or kept. Kept attestations still name the unconverted images, which they describe.
             * @enum {string}
             */
            attestations?: "drop" | "keep";
            /**
             * @description subject: the result names the source as its subject, so that registries list it as a referrer of the source, if both are in the same repository. Deleting the source may then delete the result, too.
             * @enum {string}
             */
            link?: "subject";
            /** @description Whether the interpreters that the kernel opens to run recorded programs (PT_INTERP, `#!`) are placed after these, too. Records of system calls lack them. Default: true. */
            interpreters?: boolean;
            /** @description Whether the record is also published as a referrer of the converted image, so that later conversions of that image find it. Default: false. */
            attachRecord?: boolean;
        };
        /** @description A page of conversions, newest first. */
        ConversionPage: {
            items: components["schemas"]["ConversionSummary"][];
            next?: string;
        };
        /** @description The progress of a running conversion. */
        ConversionProgress: {
            /** @enum {string} */
            phase: "resolving" | "converting" | "pushing";
            layers: components["schemas"]["LayerProgress"][];
        };
        /**
         * @description The record to convert with: exactly one of id, image, match, copyFrom and inline.
         * @example {
         *       "image": "registry.example/team/app:record-1.0-serve"
         *     }
         */
        ConversionRecord: {
            /**
             * Format: uuid
             * @description The id of an uploaded record.
             */
            id: string;
        } | {
            /** @description The reference of a record image. */
            image: string;
        } | {
            /** @description An eStargz image whose prioritized files are copied. */
            copyFrom: string;
        } | {
            /** @description Selects the record image that belongs to the source: the newest for the same digest, otherwise the newest for the same repository. */
            match: {
                /** @description Selects only records of this workload. */
                workload?: string;
            };
        } | {
            /** @description The entries of the record. */
            inline: components["schemas"]["RecordEntry"][];
        };
        /**
         * @description Which image was made of which, and with which record.
         * @example {
         *       "conversionId": "019ab1c2-7a30-7000-8000-4b1c2d3e4f50",
         *       "source": "registry.example/team/app:1.0",
         *       "sourceDigest": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
         *       "target": "registry.example/team/app:1.0-esgz",
         *       "digest": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
         *       "recordImages": [
         *         "registry.example/team/app:record-1.0-serve"
         *       ],
         *       "images": [],
         *       "finishedAt": "2026-01-02T03:04:05.678Z"
         *     }
         */
        ConversionRelation: {
            /** @description The latest conversion with this result. Absent if it is of another project. */
            conversionId?: string;
            /** @description The converted image. */
            source: string;
            sourceDigest: string;
            /** @description The tag that the result was pushed as. */
            target: string;
            /** @description The digest of the result. */
            digest: string;
            /** @description The record images that the conversion used. */
            recordImages: string[];
            /** @description The stored record that the conversion used. */
            recordId?: string;
            /** @description The digests of the platforms, at most 100. */
            images: {
                platform: string;
                source: string;
                digest: string;
            }[];
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            finishedAt: string;
        };
        /** @description Conversions, newest first. */
        ConversionRelations: {
            items: components["schemas"]["ConversionRelation"][];
            /** @description The number of items on all pages, as far as it was counted. */
            totalCount: number;
            /**
             * @description Present if there may be more items than `totalCount`, because counting stopped there.
             * @constant
             */
            isTotalLowerBound?: true;
        };
        /** @description The result of a conversion. */
        ConversionReport: {
            /** @description The source reference with its digest. */
            source: string;
            target: string;
            /** @description true: the result of an identical earlier conversion was still in the registry, so that only tags were moved; the details of layers and record are those of the earlier conversion. */
            reused?: boolean;
            /** @description The digest that the target tag points to now. */
            digest: string;
            mediaType: string;
            /** @description The total size of the converted layers in bytes. */
            size: number;
            /** @description The total size of the source layers in bytes. */
            sourceSize: number;
            images: components["schemas"]["ImageReport"][];
            /** @description The image with the external tables of contents of the layers. */
            tocImage?: {
                reference: string;
                digest: string;
            };
            /** @description The records that were attached to the result. */
            attached?: components["schemas"]["AttachedRecord"][];
            /** @description The manifests of the source index that the result lacks. */
            dropped: components["schemas"]["ManifestNote"][];
            /** @description The manifests of the source index that the result contains unchanged. */
            kept: components["schemas"]["ManifestNote"][];
            /** @description Fields and annotations that were removed because they describe bytes that the conversion replaced. */
            removed?: components["schemas"]["RemovedFields"][];
            /** @description The digest of the source, if the result names it as its subject. */
            subject?: string;
            durationMs: number;
        };
        /**
         * @description An image to convert to eStargz or zstd:chunked, registry to registry.
         * @example {
         *       "source": "registry.example/team/app:1.0",
         *       "target": "registry.example/team/app:1.0-esgz",
         *       "record": {
         *         "image": "registry.example/team/app:record-1.0-serve"
         *       }
         *     }
         */
        ConversionRequest: {
            /** @description The image to convert. A tag is resolved when the job starts. */
            source: string;
            /** @description The tag under which the converted image is pushed. */
            target: string;
            record?: components["schemas"]["ConversionRecord"];
            /** @description The platforms to use from an index; default: all of them. */
            platforms?: string[];
            options?: components["schemas"]["ConversionOptions"];
            /** @description Whether the target tag is moved if it points to something else. Default: false. */
            overwrite?: boolean;
        };
        /**
         * @description The conversions to retry. At least one filter is required, and all of them have to match.
         * @example {
         *       "labels": {
         *         "pipeline": "4711"
         *       }
         *     }
         */
        ConversionRetryFilter: {
            source?: string;
            target?: string;
            /**
             * Format: uuid
             * @description Only the conversions of this batch.
             */
            batch?: string;
            /** @description Only jobs in one of these states. Default: both. */
            state?: ("failed" | "cancelled")[];
            /** @description Only jobs with all of these labels. */
            labels?: {
                [key: string]: string;
            };
            /** @description Only jobs whose source or target is in this repository. */
            repository?: string;
            /**
             * Format: date-time
             * @description Only jobs created at this time or later.
             */
            createdFrom?: string;
            /**
             * Format: date-time
             * @description Only jobs created before this time.
             */
            createdBefore?: string;
            /**
             * Format: date-time
             * @description Only jobs that finished at this time or later.
             */
            finishedFrom?: string;
            /**
             * Format: date-time
             * @description Only jobs that finished before this time.
             */
            finishedBefore?: string;
            /** @description The value of `next` in the previous response. */
            cursor?: string;
            /** @description Only those of this project. Default: all that the caller sees: an administrator those of all projects, others those of their own. */
            project?: components["schemas"]["ProjectName"];
            /** @description The maximum number of jobs, up to 1000. Default: 1000. */
            limit?: number;
            /** @description Only lists the jobs that match. Default: false. */
            dryRun?: boolean;
        };
        /** @description A rule: which pushed images are converted, and how. */
        ConversionRule: {
            id: string;
            project: components["schemas"]["ProjectName"];
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            updatedAt: string;
            /** @description A name for people. */
            name: string;
            /** @default true */
            enabled: boolean;
            /** @description A glob that the host and repository must match, such as `registry.example/team/**`. */
            source: string;
            /**
             * @description Globs for the tag. At least one of them must match.
             * @default [
             *       "*"
             *     ]
             */
            tags: string[];
            /**
             * @description Globs for tags to exclude. None of them may match.
             * @default []
             */
            exceptTags: string[];
            /** @description A template for the target, such as `{host}/{repository}:{tag}-esgz`. */
            target: string;
            platforms?: string[];
            record?: components["schemas"]["ConversionRecord"];
            /**
             * @description Whether a new record for an image converts the image again, with that record. Requires `overwrite`.
             * @default false
             */
            onRecord: boolean;
            options?: components["schemas"]["ConversionOptions"];
            /** @default false */
            overwrite: boolean;
            /** @default {} */
            labels: {
                [key: string]: string;
            };
            /** @default 0 */
            priority: number;
        };
        /**
         * @description A conversion in a listing.
         * @example {
         *       "id": "019ab1c2-7a30-7000-8000-4b1c2d3e4f50",
         *       "project": "default",
         *       "state": "queued",
         *       "attemptCount": 0,
         *       "createdAt": "2026-01-02T03:04:05.678Z",
         *       "labels": {
         *         "pipeline": "4711"
         *       },
         *       "priority": 0,
         *       "source": "registry.example/team/app:1.0",
         *       "target": "registry.example/team/app:1.0-esgz"
         *     }
         */
        ConversionSummary: {
            id: string;
            /** @description The project that the job belongs to. */
            project: string;
            state: components["schemas"]["JobState"];
            error?: components["schemas"]["JobError"];
            /** @description The number of times that a worker has started the job. */
            attemptCount: number;
            /**
             * @description Cancellation was requested; the job stops soon.
             * @constant
             */
            cancelRequested?: true;
            /**
             * Format: date-time
             * @description When a queued job is retried after a failed attempt.
             */
            nextAttemptAt?: string;
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description When a worker first started the job. A retry by request clears it.
             */
            startedAt?: string;
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            finishedAt?: string;
            /** @description Only while the job is running. */
            progress?: components["schemas"]["ProgressSummary"];
            labels: {
                [key: string]: string;
            };
            priority: number;
            /** @description The `X-Request-Id` of the request that created the job; log lines about the job contain it. */
            requestId?: string;
            source: string;
            target: string;
        };
        /**
         * @description A notification of a distribution registry.
         * @example {
         *       "events": [
         *         {
         *           "action": "push",
         *           "target": {
         *             "mediaType": "application/vnd.oci.image.manifest.v1+json",
         *             "repository": "team/app",
         *             "tag": "1.0",
         *             "digest": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
         *           },
         *           "request": {
         *             "host": "registry.example"
         *           }
         *         }
         *       ]
         *     }
         */
        DistributionNotification: {
            events: {
                action: string;
                target: {
                    mediaType?: string;
                    repository?: string;
                    tag?: string;
                    digest?: string;
                };
                request?: {
                    host?: string;
                };
            }[];
        };
        /** @description Durations in milliseconds that 50, 90 and 99 % of jobs did not exceed, estimated within 19 % from a histogram. */
        DurationPercentiles: {
            p50: number;
            p90: number;
            p99: number;
        };
        /**
         * @description The image in which to evaluate a record.
         * @example {
         *       "image": "registry.example/team/app:1.1"
         *     }
         */
        EvaluationRequest: {
            /** @description The image, eStargz or not; its layers are not converted. */
            image: string;
            /** @description The platforms of an index to evaluate; default: all. */
            platforms?: string[];
            /** @description Whether to also place the interpreters that the kernel opens for recorded programs; default: true. */
            interpreters?: boolean;
        };
        /** @description Estimated transfers from the registry until the container has started. */
        FetchEstimate: {
            bytes: number;
            requestCount: number;
        };
        /**
         * @description The number of recorded paths that the profiled image has.
         * @example {
         *       "platforms": [
         *         {
         *           "platform": "linux/amd64",
         *           "pathCount": 210,
         *           "foundCount": 208
         *         }
         *       ]
         *     }
         */
        FoundInImage: {
            /** @description The image with its digest. */
            image?: string;
            platforms?: {
                platform: string;
                /** @description The number of distinct recorded paths and globs. */
                pathCount: number;
                /** @description The number of those that the image has. */
                foundCount: number;
            }[];
            /** @description The likely mistake, if the image has none of the paths. */
            warning?: string;
            /** @description Why the number is unknown. The record is stored anyway. */
            unknown?: string;
        };
        /**
         * @description A webhook of Harbor in its default format.
         * @example {
         *       "type": "PUSH_ARTIFACT",
         *       "event_data": {
         *         "resources": [
         *           {
         *             "resource_url": "registry.example/team/app:1.0",
         *             "digest": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
         *             "tag": "1.0"
         *           }
         *         ]
         *       }
         *     }
         */
        HarborWebhook: {
            type: string;
            event_data?: {
                resources: {
                    resource_url: string;
                    digest?: string;
                    tag?: string;
                }[];
            };
        };
        /**
         * @description The server responds.
         * @example {
         *       "status": "ok"
         *     }
         */
        Health: {
            /** @constant */
            status: "ok";
        };
        /** @description The properties of an image that are known without reading its layers. */
        ImageInspection: {
            /** @description The reference of the image with its digest. */
            reference: string;
            digest: string;
            mediaType: string;
            images: {
                /** @description os/architecture[/variant] */
                platform: string;
                digest: string;
                /** @description The total size of the layers in bytes. */
                size: number;
                layers: components["schemas"]["LayerInspection"][];
            }[];
            /** @description The manifests of the index that are not images. */
            others: components["schemas"]["ManifestNote"][];
        };
        /** @description A page of images, those first that were seen last. */
        ImagePage: {
            items: components["schemas"]["ImageSummary"][];
            /** @description The cursor of the next page. Omitted on the last page. */
            next?: string;
            /** @description The number of items on all pages, as far as it was counted. */
            totalCount: number;
            /**
             * @description Present if there may be more items than `totalCount`, because counting stopped there.
             * @constant
             */
            isTotalLowerBound?: true;
            /**
             * Format: date-time
             * @description When what is listed was last compared with the registry completely. Absent if it was not yet.
             */
            comparedAt?: string;
        };
        /** @description What belongs to an image: record images, conversions of it, and conversions that made it. */
        ImageRelations: {
            image: string;
            /** @description The digests that the image is known by: its own, then those of its platforms. */
            digests: string[];
            /**
             * Format: date-time
             * @description When the image was last compared with its registry. Absent if it is not known, or named by its digest.
             */
            comparedAt?: string;
            /** @description The record images that belong to the image, best match first. */
            recordImages: components["schemas"]["RecordImagePage"];
            /** @description The conversions that made other images of it. */
            conversions: components["schemas"]["ConversionRelations"];
            /** @description The conversions that made it. */
            convertedFrom: components["schemas"]["ConversionRelations"];
            /** @description The conversions that used it, if it is a record image. */
            usedBy: components["schemas"]["ConversionRelations"];
        };
        /** @description The result of the conversion of one image of the source. */
        ImageReport: {
            /** @description os/architecture[/variant] */
            platform: string;
            /** @description The digest of the source manifest. */
            source: string;
            /** @description The digest of the converted manifest. */
            digest: string;
            record?: components["schemas"]["RecordUse"];
            layers: components["schemas"]["LayerReport"][];
            /** @description Readers that cannot pull the image, and the remedy; omitted if empty. */
            warnings?: string[];
        };
        /**
         * @description An image in a registry.
         * @example {
         *       "reference": "registry.example/team/app:1.0",
         *       "digest": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
         *       "kind": "image",
         *       "mediaType": "application/vnd.oci.image.manifest.v1+json",
         *       "size": 31234567,
         *       "estargz": false,
         *       "recordImageCount": 2,
         *       "seenAt": "2026-01-02T03:04:05.678Z",
         *       "comparedAt": "2026-01-03T00:00:00.000Z"
         *     }
         */
        ImageSummary: {
            reference: string;
            digest: string;
            /**
             * @description unknown: the manifest was not read yet, or is not understood; see `problem`.
             * @enum {string}
             */
            kind: "image" | "index" | "artifact" | "unknown";
            mediaType?: string;
            artifactType?: string;
            /** @description The size of all layers in bytes. */
            size?: number;
            /** @description Whether every layer can be read lazily, according to its annotations. Absent if that is not known. */
            estargz?: boolean;
            /** @description The manifests of an index, at most 100. */
            platforms?: {
                platform?: string;
                digest: string;
            }[];
            /** @description The digest of the manifest that the image refers to. */
            subject?: string;
            /** @description Why the manifest cannot be read. */
            problem?: string;
            /** @description The latest conversion that made the image, under this reference if one did. */
            convertedFrom?: components["schemas"]["ConversionRelation"];
            /** @description The latest conversion of the image, under this reference if there is one. */
            latestConversion?: components["schemas"]["ConversionRelation"];
            /** @description The number of record images that belong to this very image, up to 100. */
            recordImageCount: number;
            /**
             * Format: date-time
             * @description When the broker first saw this digest under this reference.
             */
            seenAt: string;
            /**
             * Format: date-time
             * @description When it was last compared with the registry. Absent if it was not yet.
             */
            comparedAt?: string;
        };
        /** @description An attempt of a worker to run a job, and its outcome. */
        JobAttempt: {
            attempt: number;
            worker: string;
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            startedAt: string;
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            finishedAt?: string;
            /**
             * @description `throttled`: a registry limited the request rate. `released`: the worker had to stop or could not renew its lease. `crashed`: the worker died.
             * @enum {string}
             */
            outcome?: "succeeded" | "failed" | "throttled" | "released" | "crashed" | "cancelled";
            error?: components["schemas"]["JobError"];
        };
        /**
         * @description A callback that reports the end of a job, with all delivery attempts.
         * @example {
         *       "id": "019ab1c2-7a30-7000-8000-4b1c2d3e4f50",
         *       "url": "https://ci.example/hooks/record-broker",
         *       "state": "delivered",
         *       "deliveries": [
         *         {
         *           "attempt": 1,
         *           "finishedAt": "2026-01-02T03:04:05.678Z",
         *           "status": 204
         *         }
         *       ]
         *     }
         */
        JobCallback: {
            id: string;
            /** @description The URL without its query, which may contain a secret. */
            url: string;
            /**
             * @description `waiting`: the job has not finished. `due`: the next delivery is pending.
             * @enum {string}
             */
            state: "waiting" | "due" | "delivered" | "failed";
            deliveries: {
                attempt: number;
                /**
                 * Format: date-time
                 * @description A time in UTC (RFC 3339).
                 */
                finishedAt: string;
                /** @description The HTTP status of the response, if there was one. */
                status?: number;
                error?: string;
            }[];
        };
        /**
         * @description The number of jobs in each state.
         * @example {
         *       "queued": 3,
         *       "running": 1,
         *       "succeeded": 120,
         *       "failed": 2,
         *       "cancelled": 0
         *     }
         */
        JobCounts: {
            queued: number;
            running: number;
            succeeded: number;
            failed: number;
            cancelled: number;
        };
        /** @description Why a job failed, or why its latest attempt failed. */
        JobError: {
            code: string;
            message: string;
        };
        /**
         * @description An event of a job: the fields of a server-sent event, with its `data` decoded.
         * @example {
         *       "id": "3",
         *       "event": "succeeded",
         *       "data": {
         *         "jobId": "019ab1c2-7a30-7000-8000-4b1c2d3e4f50",
         *         "seq": 3,
         *         "createdAt": "2026-01-02T03:04:05.678Z",
         *         "attempt": 1,
         *         "digest": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
         *         "target": "registry.example/team/app:1.0-esgz"
         *       }
         *     }
         */
        JobEvent: {
            /** @description The position after which a stream continues (`Last-Event-ID`). */
            id: string;
            /** @constant */
            event: "queued";
            data: {
                jobId: string;
                /** @description The number of the event among those of the job, counted from 1. */
                seq: number;
                /**
                 * Format: date-time
                 * @description A time in UTC (RFC 3339).
                 */
                createdAt: string;
                /**
                 * @description A failed or cancelled job was returned to the queue.
                 * @constant
                 */
                retry?: true;
            };
        } | {
            /** @description The position after which a stream continues (`Last-Event-ID`). */
            id: string;
            /** @constant */
            event: "started";
            data: {
                jobId: string;
                /** @description The number of the event among those of the job, counted from 1. */
                seq: number;
                /**
                 * Format: date-time
                 * @description A time in UTC (RFC 3339).
                 */
                createdAt: string;
                /** @description The attempt, counted from 1. */
                attempt: number;
                worker: string;
            };
        } | {
            /** @description The position after which a stream continues (`Last-Event-ID`). */
            id: string;
            /** @constant */
            event: "retrying";
            data: {
                jobId: string;
                /** @description The number of the event among those of the job, counted from 1. */
                seq: number;
                /**
                 * Format: date-time
                 * @description A time in UTC (RFC 3339).
                 */
                createdAt: string;
                /** @description The attempt, counted from 1. */
                attempt: number;
                error: components["schemas"]["JobError"];
                /** @description The time until the next attempt, in milliseconds. */
                delayMs: number;
            };
        } | {
            /** @description The position after which a stream continues (`Last-Event-ID`). */
            id: string;
            /** @constant */
            event: "throttled";
            data: {
                jobId: string;
                /** @description The number of the event among those of the job, counted from 1. */
                seq: number;
                /**
                 * Format: date-time
                 * @description A time in UTC (RFC 3339).
                 */
                createdAt: string;
                /** @description The attempt, counted from 1. */
                attempt: number;
                error: components["schemas"]["JobError"];
                /** @description The time until the next attempt, in milliseconds. */
                delayMs: number;
                /** @description The registry. */
                host?: string;
            };
        } | {
            /** @description The position after which a stream continues (`Last-Event-ID`). */
            id: string;
            /** @constant */
            event: "released";
            data: {
                jobId: string;
                /** @description The number of the event among those of the job, counted from 1. */
                seq: number;
                /**
                 * Format: date-time
                 * @description A time in UTC (RFC 3339).
                 */
                createdAt: string;
                /** @description The attempt, counted from 1. */
                attempt: number;
                error?: components["schemas"]["JobError"];
            };
        } | {
            /** @description The position after which a stream continues (`Last-Event-ID`). */
            id: string;
            /** @constant */
            event: "crashed";
            data: {
                jobId: string;
                /** @description The number of the event among those of the job, counted from 1. */
                seq: number;
                /**
                 * Format: date-time
                 * @description A time in UTC (RFC 3339).
                 */
                createdAt: string;
                /** @description The attempt, counted from 1. */
                attempt: number;
                error: components["schemas"]["JobError"];
            };
        } | {
            /** @description The position after which a stream continues (`Last-Event-ID`). */
            id: string;
            /** @constant */
            event: "cancel-requested";
            data: {
                jobId: string;
                /** @description The number of the event among those of the job, counted from 1. */
                seq: number;
                /**
                 * Format: date-time
                 * @description A time in UTC (RFC 3339).
                 */
                createdAt: string;
            };
        } | {
            /** @description The position after which a stream continues (`Last-Event-ID`). */
            id: string;
            /** @constant */
            event: "succeeded";
            data: {
                jobId: string;
                /** @description The number of the event among those of the job, counted from 1. */
                seq: number;
                /**
                 * Format: date-time
                 * @description A time in UTC (RFC 3339).
                 */
                createdAt: string;
                /** @description The attempt, counted from 1. */
                attempt: number;
                /** @description The converted image. */
                target?: string;
                /** @description The digest of the converted image. */
                digest?: string;
                /** @description Whether a verification found no problem. */
                verified?: boolean;
            };
        } | {
            /** @description The position after which a stream continues (`Last-Event-ID`). */
            id: string;
            /** @constant */
            event: "failed";
            data: {
                jobId: string;
                /** @description The number of the event among those of the job, counted from 1. */
                seq: number;
                /**
                 * Format: date-time
                 * @description A time in UTC (RFC 3339).
                 */
                createdAt: string;
                /** @description The attempt, counted from 1. */
                attempt: number;
                error: components["schemas"]["JobError"];
            };
        } | {
            /** @description The position after which a stream continues (`Last-Event-ID`). */
            id: string;
            /** @constant */
            event: "cancelled";
            data: {
                jobId: string;
                /** @description The number of the event among those of the job, counted from 1. */
                seq: number;
                /**
                 * Format: date-time
                 * @description A time in UTC (RFC 3339).
                 */
                createdAt: string;
                /** @description The attempt, counted from 1. */
                attempt?: number;
                error?: components["schemas"]["JobError"];
            };
        } | {
            /** @constant */
            event: "progress";
            data: components["schemas"]["ConversionProgress"] | components["schemas"]["VerificationProgress"];
        };
        /**
         * @description The state of a job. `queued` and `running` jobs are unfinished; all other states are final.
         * @enum {string}
         */
        JobState: "queued" | "running" | "succeeded" | "failed" | "cancelled";
        /**
         * @description The place of a queued job in the queue, and why it does not run yet.
         * @example {
         *       "position": 3,
         *       "reason": "registry-limit",
         *       "registry": "registry.example",
         *       "limit": 4,
         *       "runningCount": 4
         *     }
         */
        JobWaiting: {
            /** @description The place among the queued jobs of its project, from 1. Jobs that may not start yet count, too. It is counted up to 10000. */
            position: number;
            /**
             * @description What the job waits for. `retry-pause`: the pause after a failed attempt lasts `until` then. `registry-pause`: `registry` limits requests and is paused `until` then. `same-target`: a job runs and has the same target; `jobId` is missing if it belongs to another project. `project-limit`: the quota of the project allows `limit` running jobs, and `runningCount` run. `no-worker`: no worker runs. `disk-full`: the disks of all workers are full. `registry-limit`: `limit` jobs with `registry` may run at a time, and `runningCount` do. `idle-worker-needed`: a worker died while running the job, so that it needs a worker that runs nothing else. `workers-busy`: all workers run as many jobs as they may. `suspect-first`: a job needs a worker that runs nothing else, and has waited for very long; `jobId` is missing if it belongs to another project. `starting`: nothing; a worker is about to start the job.
             * @enum {string}
             */
            reason: "retry-pause" | "registry-pause" | "same-target" | "project-limit" | "no-worker" | "disk-full" | "registry-limit" | "idle-worker-needed" | "workers-busy" | "suspect-first" | "starting";
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            until?: string;
            /** @description The host of a registry. */
            registry?: string;
            limit?: number;
            runningCount?: number;
            jobId?: string;
        };
        /** @description The properties of a layer according to its footer and table of contents. */
        LayerInspection: {
            digest: string;
            size: number;
            mediaType: string;
            /** @description Whether the layer can be read lazily, that is, is eStargz or zstd:chunked. */
            estargz: boolean;
            /** @enum {string} */
            format?: "estargz" | "zstd-chunked";
            /** @description Whether the table of contents is stored in an image of its own. */
            externalToc?: boolean;
            tocDigest?: string;
            /** @description Whether the manifest has this digest in an annotation, as readers that verify layers require. */
            tocDigestAnnotated?: boolean;
            entryCount?: number;
            /** @enum {string} */
            landmark?: "prefetch" | "no-prefetch";
            prefetchBytes?: number;
            /** @description The prioritized files in their order. */
            prioritizedFiles?: string[];
            /** @description Why a layer that is marked as eStargz cannot be read as such. */
            problem?: string;
        };
        /** @description The progress of the conversion of one layer. */
        LayerProgress: {
            /** @description The digest of the source layer. */
            digest: string;
            /** @description os/architecture[/variant] */
            platform: string;
            /** @enum {string} */
            state: "waiting" | "converting" | "converted" | "uploading" | "done";
            /** @description The size of the source layer in bytes. */
            size: number;
            /** @description The bytes of the source layer read so far. */
            read: number;
            /** @description The bytes of the converted layer written so far. */
            written: number;
            /** @description The bytes of the converted layer that were sent to the registry so far. Older workers do not report them. */
            uploaded?: number;
        };
        /** @description The result of the conversion of one layer. */
        LayerReport: {
            /**
             * @description streamed: converted in the order of the source, without scratch disk; arranged: converted with the prioritized files first; rearranged: arranged from a layer that was converted before; reused: the layer of an earlier conversion, unchanged; duplicate: the image has this layer twice, and it was converted once.
             * @enum {string}
             */
            action: "streamed" | "arranged" | "rearranged" | "reused" | "duplicate";
            source: {
                digest: string;
                size: number;
                mediaType: string;
            };
            digest: string;
            /** @description The size of the converted layer in bytes. */
            size: number;
            diffId: string;
            uncompressedSize: number;
            tocDigest: string;
            entryCount: number;
            /** @enum {string} */
            landmark?: "prefetch" | "no-prefetch";
            /** @description The number of entries that the record placed before the landmark. */
            prioritizedFileCount: number;
            /** @description The compressed bytes before the landmark, which a reader prefetches. */
            prefetchBytes: number;
            /** @description How the layer's content was compressed, and why. */
            compression: {
                /** @enum {string} */
                method: "transcode" | "refine" | "recompress";
                reason: string;
                /** @description The library that recompressed the content, with its version: another version may make other bytes. */
                library?: string;
            };
            /** @description How the view of a lazy reader differs from that of a pull, and what readers cannot do with the layer; omitted if empty. */
            warnings?: string[];
        };
        /** @description A manifest of an index, and why it is dropped, kept unchanged or not an image. */
        ManifestNote: {
            digest: string;
            reason: string;
        };
        /**
         * @description The records to merge, and how.
         * @example {
         *       "records": [
         *         "019ab1c2-7a30-7000-8000-4b1c2d3e4f50",
         *         "019ab1c2-7a30-7000-8000-4b1c2d3e4f51"
         *       ],
         *       "strategy": "union"
         *     }
         */
        MergeRequest: {
            /** @description The records to merge. If two records have a path at the same position, the order of this list decides. */
            records: string[];
            /**
             * @description union: the paths of any record; intersection: the paths of all records; frequency: the paths of at least the share of records in `threshold`.
             * @enum {string}
             */
            strategy: "union" | "intersection" | "frequency";
            /** @description For `frequency`: the minimum share of records that contain a path. */
            threshold?: number;
            /** @description Default: the image of the records, if all have the same. */
            image?: string;
            /** @description Default: the workload of the records, if all have the same. */
            workload?: string;
            labels?: {
                [key: string]: string;
            };
        };
        /** @description An API token with its secret, which is shown once. */
        NewApiToken: {
            id: string;
            name: string;
            /** @description The beginning of the secret, by which you can tell tokens apart. */
            prefix: string;
            project: components["schemas"]["ProjectName"];
            scopes: components["schemas"]["Scope"][];
            /** @description The repositories that it may read, of those of its project. */
            read: components["schemas"]["RepositoryPattern"][];
            /** @description The repositories that it may write and delete, of those of its project. */
            write: components["schemas"]["RepositoryPattern"][];
            /**
             * @description Only a usable token is accepted.
             * @enum {string}
             */
            state: "usable" | "expired" | "revoked";
            /** @description Who created the token. */
            createdBy: string;
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description When it expires, or has expired. Missing: it does not.
             */
            expiresAt?: string;
            /**
             * Format: date-time
             * @description The last use, to the minute.
             */
            usedAt?: string;
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            revokedAt?: string;
            /** @description The id of the token that took its place. */
            successor?: string;
            /** @description The secret. The broker stores a hash of it, and cannot show it again. */
            token: string;
        };
        /**
         * @description An image to convert to eStargz, from registry to registry.
         * @example {
         *       "source": "registry.example/team/app:1.0",
         *       "target": "registry.example/team/app:1.0-esgz",
         *       "record": {
         *         "image": "registry.example/team/app:record-1.0-serve"
         *       },
         *       "labels": {
         *         "pipeline": "4711"
         *       },
         *       "priority": 10
         *     }
         */
        NewConversion: {
            /** @description The image to convert. A tag is resolved when the job starts. */
            source: string;
            /** @description The tag under which the converted image is pushed. */
            target: string;
            record?: components["schemas"]["ConversionRecord"];
            /** @description The platforms to use from an index; default: all of them. */
            platforms?: string[];
            options?: components["schemas"]["ConversionOptions"];
            /** @description Whether the target tag is moved if it points to something else. Default: false. */
            overwrite?: boolean;
            /** @description Labels for finding the job. */
            labels?: {
                [key: string]: string;
            };
            /** @description Jobs with a higher priority run first. Default: 0. Among equal priorities, the oldest job runs first. */
            priority?: number;
            /**
             * Format: uri
             * @description A URL that is notified when the job has finished, signed according to Standard Webhooks. Its origin must be one that the broker allows.
             */
            callbackUrl?: string;
        };
        /**
         * @description Images to convert. Either all conversions are accepted, or none.
         * @example {
         *       "conversions": [
         *         {
         *           "source": "registry.example/team/app:1.0",
         *           "target": "registry.example/team/app:1.0-esgz"
         *         },
         *         {
         *           "source": "registry.example/team/app:1.1",
         *           "target": "registry.example/team/app:1.1-esgz"
         *         }
         *       ],
         *       "labels": {
         *         "release": "2026-01"
         *       }
         *     }
         */
        NewConversionBatch: {
            conversions: components["schemas"]["NewConversion"][];
            /** @description Labels of the batch and of each conversion that it creates. */
            labels?: {
                [key: string]: string;
            };
        };
        /**
         * @description Selects pushed images and specifies how they are converted.
         * @example {
         *       "name": "all images of the team",
         *       "source": "registry.example/team/**",
         *       "tags": [
         *         "v*"
         *       ],
         *       "target": "{host}/{repository}:{tag}-esgz",
         *       "record": {
         *         "match": {}
         *       }
         *     }
         */
        NewConversionRule: {
            /** @description A name for people. */
            name: string;
            /** @default true */
            enabled?: boolean;
            /** @description A glob that the host and repository must match, such as `registry.example/team/**`. */
            source: string;
            /**
             * @description Globs for the tag. At least one of them must match.
             * @default [
             *       "*"
             *     ]
             */
            tags?: string[];
            /**
             * @description Globs for tags to exclude. None of them may match.
             * @default []
             */
            exceptTags?: string[];
            /** @description A template for the target, such as `{host}/{repository}:{tag}-esgz`. */
            target: string;
            platforms?: string[];
            record?: components["schemas"]["ConversionRecord"];
            /**
             * @description Whether a new record for an image converts the image again, with that record. Requires `overwrite`.
             * @default false
             */
            onRecord?: boolean;
            options?: components["schemas"]["ConversionOptions"];
            /** @default false */
            overwrite?: boolean;
            /** @default {} */
            labels?: {
                [key: string]: string;
            };
            /** @default 0 */
            priority?: number;
        };
        /**
         * @description What a registry accepts.
         * @example {
         *       "username": "robot",
         *       "password": "the-token-of-the-robot"
         *     }
         */
        NewRegistryCredential: {
            /** @description The user name. `<token>` means that the password is an identity token, as docker has it. */
            username: string;
            /** @description The password or token. No response shows it. */
            password: string;
        };
        /**
         * @description An eStargz image to verify, optionally compared with its source.
         * @example {
         *       "reference": "registry.example/team/app:1.0-esgz",
         *       "source": "registry.example/team/app:1.0",
         *       "labels": {
         *         "pipeline": "4711"
         *       }
         *     }
         */
        NewVerification: {
            /** @description The eStargz image to verify. */
            reference: string;
            /** @description The image that it was converted from; if given, the root file systems of both are compared. */
            source?: string;
            /** @description The platforms to use from an index; default: all of them. */
            platforms?: string[];
            /** @description Labels for finding the job. */
            labels?: {
                [key: string]: string;
            };
            /** @description Jobs with a higher priority run first. Default: 0. Among equal priorities, the oldest job runs first. */
            priority?: number;
            /**
             * Format: uri
             * @description A URL that is notified when the job has finished, signed according to Standard Webhooks. Its origin must be one that the broker allows.
             */
            callbackUrl?: string;
        };
        /**
         * @description The error of a failed request (RFC 9457).
         * @example {
         *       "type": "about:blank",
         *       "title": "Bad Request",
         *       "status": 400,
         *       "detail": "line 3: the path is longer than 4096 bytes",
         *       "code": "INVALID_RECORD",
         *       "line": 3,
         *       "requestId": "6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11"
         *     }
         */
        Problem: {
            /** @description Always `about:blank`. Use `code` to distinguish kinds of problems. */
            type: string;
            /** @description The name of the HTTP status. */
            title: string;
            /** @description The HTTP status. */
            status: number;
            /** @description What went wrong, where, and how to fix it. */
            detail?: string;
            /** @description A code for programs. */
            code: string;
            /** @description The invalid fields, each with a reason. */
            errors?: {
                path: string;
                message: string;
            }[];
            /** @description The line of the uploaded record, counted from 1. */
            line?: number;
            /** @description The id of the record, if it was stored but publishing it failed. */
            recordId?: string;
            /** @description The id of the request, as in the header `X-Request-Id`; the broker's log lines contain it. */
            requestId?: string;
        };
        /**
         * @description The progress of a running job without its layers.
         * @example {
         *       "phase": "converting",
         *       "layerCount": 5,
         *       "doneLayerCount": 2,
         *       "totalBytes": 81920000,
         *       "readBytes": 40960000,
         *       "writtenBytes": 41000000
         *     }
         */
        ProgressSummary: {
            /**
             * @description The phase of a conversion.
             * @enum {string}
             */
            phase?: "resolving" | "converting" | "pushing";
            layerCount: number;
            doneLayerCount: number;
            /** @description The size of the layers that are read, in bytes. */
            totalBytes?: number;
            /** @description The bytes of these layers that were read so far. */
            readBytes?: number;
            /** @description The bytes of converted layers that were written so far. */
            writtenBytes?: number;
        };
        /** @description A project: those who share a broker with others, and what they may use. */
        Project: {
            name: components["schemas"]["ProjectName"];
            /**
             * @description A text for people.
             * @default
             */
            description: string;
            /**
             * @description The repositories that it may read.
             * @default []
             */
            read: components["schemas"]["RepositoryPattern"][];
            /**
             * @description The repositories that it may write and delete, and so read.
             * @default []
             */
            write: components["schemas"]["RepositoryPattern"][];
            /**
             * @description Whether its jobs may use the registry credentials of the broker's docker config.
             * @default false
             */
            usesDockerConfig: boolean;
            /** @default {} */
            quotas: components["schemas"]["Quotas"];
            /**
             * Format: date-time
             * @description Missing: nobody has changed the default project.
             */
            createdAt?: string;
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            updatedAt?: string;
        };
        /**
         * @description The name of a project.
         * @example team-a
         */
        ProjectName: string;
        /** @description A page of projects. */
        ProjectPage: {
            items: components["schemas"]["Project"][];
            next?: string;
        };
        /**
         * @description What a project may use.
         * @example {
         *       "read": [
         *         "registry.example/**"
         *       ],
         *       "write": [
         *         "registry.example/team-a/**"
         *       ],
         *       "quotas": {
         *         "records": 1000
         *       }
         *     }
         */
        ProjectRules: {
            /**
             * @description A text for people.
             * @default
             */
            description?: string;
            /**
             * @description The repositories that it may read.
             * @default []
             */
            read?: components["schemas"]["RepositoryPattern"][];
            /**
             * @description The repositories that it may write and delete, and so read.
             * @default []
             */
            write?: components["schemas"]["RepositoryPattern"][];
            /**
             * @description Whether its jobs may use the registry credentials of the broker's docker config.
             * @default false
             */
            usesDockerConfig?: boolean;
            /** @default {} */
            quotas?: components["schemas"]["Quotas"];
        };
        /** @description What a project uses of each quota. */
        ProjectUsage: {
            project: components["schemas"]["ProjectName"];
            /** @description Stored records. */
            records: components["schemas"]["QuotaUse"];
            /** @description Jobs in the queue. */
            queuedJobs: components["schemas"]["QuotaUse"];
            /** @description Jobs that run. */
            runningJobs: components["schemas"]["QuotaUse"];
            /** @description Bytes in the embedded registry. */
            storedBytes: components["schemas"]["QuotaUse"];
        };
        /**
         * @description Where to publish a record as a record file image.
         * @example {
         *       "reference": "registry.example/team/app:record-1.0-serve"
         *     }
         */
        PublicationRequest: {
            /** @description The reference to publish to. Default: a tag in the repository of the backing registry that corresponds to the image. */
            reference?: string;
            /** @description The image that the record image becomes a referrer of instead of the profiled image, such as a converted image. Without `reference`, the record image is pushed to the repository of that image, by digest. */
            attachTo?: string;
            /** @description Whether to move a tag that refers to a different manifest. */
            overwrite?: boolean;
        };
        /**
         * @description A published record.
         * @example {
         *       "recordId": "019ab1c2-7a30-7000-8000-4b1c2d3e4f50",
         *       "reference": "registry.example/team/app:record-1.0-serve",
         *       "digest": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
         *       "createdAt": "2026-01-02T03:04:05.678Z"
         *     }
         */
        PublishedRecord: {
            recordId: string;
            reference: string;
            /** @description The digest of the manifest. Publishing the same record again gives the same digest. */
            digest: string;
            /** @description The image that the record image is a referrer of, if any. */
            subject?: string;
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            createdAt: string;
        };
        /**
         * @description The conversions that the reported pushes started.
         * @example {
         *       "items": [
         *         {
         *           "image": "registry.example/team/app:1.0",
         *           "conversions": []
         *         }
         *       ]
         *     }
         */
        PushOutcomes: {
            items: {
                image: string;
                conversions: {
                    ruleId: string;
                    id: string;
                }[];
                /** @description Rules of projects that may read the image, and that cannot convert it, with the reason. Other rules are not affected. A response lists at most 1000 refusals in total. */
                refused?: {
                    ruleId: string;
                    code: string;
                    message: string;
                }[];
                /** @description Why the image is not converted. */
                ignored?: string;
            }[];
        };
        /** @description How much of a quota is used. */
        QuotaUse: {
            /** @description Missing: this broker does not store it. */
            used?: number;
            /** @description Missing: there is no limit. */
            limit?: number;
        };
        /** @description The most that a project may use. A missing value is no limit. */
        Quotas: {
            /** @description Stored records. */
            records?: number;
            /** @description Jobs in the queue. */
            queuedJobs?: number;
            /** @description Jobs that run at the same time. */
            runningJobs?: number;
            /** @description Bytes in the embedded registry. */
            storedBytes?: number;
        };
        /**
         * @description Whether the broker and the services that it depends on are working.
         * @example {
         *       "status": "ready",
         *       "database": {
         *         "ok": true
         *       },
         *       "registry": {
         *         "ok": true
         *       },
         *       "storage": {
         *         "ok": true
         *       },
         *       "workers": {
         *         "ok": true,
         *         "running": 2
         *       }
         *     }
         */
        Readiness: {
            /**
             * @description `degraded`: requests are accepted, but some work cannot be done at present. `unavailable`: send requests to another replica, or later.
             * @enum {string}
             */
            status: "ready" | "degraded" | "unavailable";
            database: {
                ok: boolean;
                detail?: string;
            };
            /** @description The backing registry. `PENDING`: the first check has not finished yet. */
            registry: {
                ok: boolean;
                detail?: string;
            };
            /** @description `STORAGE_FULL`: the broker's disk is full; conversions wait for free space. */
            storage: {
                ok: boolean;
                detail?: string;
            };
            workers: {
                ok: boolean;
                detail?: string;
                running?: number;
            };
        };
        /** @description The differences between record A and record B. */
        RecordDiff: {
            /** @description Whether both records have the same paths in the same order. */
            same: boolean;
            /** @description The number of paths that both records have. */
            commonCount: number;
            /** @description The number of common paths that have to move to turn one order into the other. */
            movedCount: number;
            onlyInA: {
                entryCount: number;
                /** @description In the order of that record; at most `limit`. */
                entries: components["schemas"]["RecordEntry"][];
            };
            onlyInB: {
                entryCount: number;
                /** @description In the order of that record; at most `limit`. */
                entries: components["schemas"]["RecordEntry"][];
            };
        };
        /**
         * @description A file that a container read. Entries are in the order of first access.
         * @example {
         *       "path": "usr/bin/bash"
         *     }
         * @example {
         *       "path": "usr/lib/**\/*.so",
         *       "glob": true
         *     }
         */
        RecordEntry: {
            path: string;
            /** @constant */
            glob?: true;
            manifestDigest?: string;
            layerIndex?: number;
        };
        /** @description The effect of a record on an image, evaluated without a conversion. */
        RecordEvaluation: {
            /** @description The image with its digest. */
            image: string;
            images: {
                platform: string;
                /** @description The digest of the manifest. */
                digest: string;
                record: components["schemas"]["RecordUse"];
            }[];
        };
        /**
         * @description The format of a record file.
         * @enum {string}
         */
        RecordFormat: "stargz-record" | "path-list" | "strace" | "fatrace" | "fatrace-json" | "opensnoop" | "trace-open" | "audit" | "stargz-snapshotter-log" | "nydus-list" | "nydus-csv" | "nydus-json" | "nydusify" | "soci" | "overlaybd-list";
        /**
         * @description A record file image with the entries of its record.
         * @example {
         *       "reference": "registry.example/team/app:record-1.0-serve",
         *       "digest": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
         *       "size": 6123,
         *       "image": "registry.example/team/app:1.0",
         *       "workload": "serve",
         *       "annotations": {},
         *       "entries": [
         *         {
         *           "path": "usr/bin/app"
         *         }
         *       ]
         *     }
         */
        RecordImage: {
            reference: string;
            digest: string;
            /** @description The size of manifest, config and layer in bytes. */
            size: number;
            /** @description When the record was created, according to the image. */
            createdAt?: string;
            /** @description The profiled image, as named by the publisher. */
            image?: string;
            workload?: string;
            profiler?: string;
            profilerVersion?: string;
            /** @description The digest of the manifest that the record image refers to. */
            subject?: string;
            annotations: {
                [key: string]: string;
            };
            entries: components["schemas"]["RecordEntry"][];
        };
        /** @description A page of record file images, newest first. */
        RecordImagePage: {
            items: components["schemas"]["RecordImageSummary"][];
            /** @description The cursor of the next page. Omitted on the last page. */
            next?: string;
            /** @description The number of items on all pages, as far as it was counted. */
            totalCount: number;
            /**
             * @description Present if there may be more items than `totalCount`, because counting stopped there.
             * @constant
             */
            isTotalLowerBound?: true;
            /**
             * Format: date-time
             * @description When what is listed was last compared with the registry completely. Absent if it was not yet.
             */
            comparedAt?: string;
        };
        /**
         * @description A record file image in a registry.
         * @example {
         *       "reference": "registry.example/team/app:record-1.0-serve",
         *       "digest": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
         *       "size": 6123,
         *       "createdAt": "2026-01-02T03:04:05.678Z",
         *       "image": "registry.example/team/app:1.0",
         *       "workload": "serve",
         *       "annotations": {},
         *       "entryCount": 214,
         *       "seenAt": "2026-01-02T03:04:06.000Z",
         *       "comparedAt": "2026-01-03T00:00:00.000Z"
         *     }
         */
        RecordImageSummary: {
            reference: string;
            digest: string;
            /** @description The size of manifest, config and layer in bytes. Absent until the manifest was read. */
            size?: number;
            /** @description When the record was created, according to the image. */
            createdAt?: string;
            /** @description The profiled image, as named by the publisher. */
            image?: string;
            workload?: string;
            profiler?: string;
            profilerVersion?: string;
            /** @description The digest of the manifest that the record image refers to. */
            subject?: string;
            annotations: {
                [key: string]: string;
            };
            /** @description The number of entries, according to the publisher. */
            entryCount?: number;
            /** @description The stored record that it was published from, if it is known. */
            recordId?: string;
            /** @description The labels of that record. */
            labels?: {
                [key: string]: string;
            };
            /**
             * @description How the record image relates to the requested image. digest: it belongs to this very image; repository: to another image of its repository.
             * @enum {string}
             */
            match?: "digest" | "repository";
            /**
             * Format: date-time
             * @description When the broker first saw this digest under this reference.
             */
            seenAt: string;
            /**
             * Format: date-time
             * @description When it was last compared with the registry. Absent if it was not yet.
             */
            comparedAt?: string;
        };
        /** @description The record image that was selected. */
        RecordOrigin: {
            /** @description The record image with its digest. */
            reference: string;
            /**
             * @description digest: the record image belongs to this very image; repository: to another image of its repository.
             * @enum {string}
             */
            match: "digest" | "repository";
            /** @description The profiled image, as named by the publisher. */
            image?: string;
            workload?: string;
            /** @description When the record was created, according to the image. */
            createdAt?: string;
        };
        /** @description A page of records, newest first. */
        RecordPage: {
            items: components["schemas"]["StartupRecord"][];
            /** @description The cursor of the next page. Omitted on the last page. */
            next?: string;
            /** @description The number of items on all pages, as far as it was counted. */
            totalCount: number;
            /**
             * @description Present if there may be more items than `totalCount`, because counting stopped there.
             * @constant
             */
            isTotalLowerBound?: true;
        };
        /** @description The origin of a record that was made from other records. */
        RecordProvenance: {
            /** @enum {string} */
            kind: "merge" | "retarget";
            /** @description The records that this record was made from. */
            records: components["schemas"]["SourceRecord"][];
            /** @description The uploads from which these were made, each a run of a profiler; the first 1000. */
            runs: components["schemas"]["SourceRecord"][];
            /** @description The number of all uploads. */
            runCount: number;
            /**
             * @description union: the paths of any record; intersection: the paths of all records; frequency: the paths of at least the share of records in `threshold`.
             * @enum {string}
             */
            strategy?: "union" | "intersection" | "frequency";
            /** @description For a frequency merge: the share of records, greater than 0 and at most 1. */
            threshold?: number;
            /** @description For a retargeted record: the image that it was applied to, with its digest. */
            target?: string;
            /** @description For a retargeted record: the number of paths that this image lacks. */
            lostCount?: number;
        };
        /**
         * @description A reference that a record was published to as a record file image.
         * @example {
         *       "reference": "registry.example/team/app:record-1.0-serve",
         *       "digest": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
         *       "createdAt": "2026-01-02T03:04:05.678Z"
         *     }
         */
        RecordPublication: {
            reference: string;
            digest: string;
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            createdAt: string;
        };
        /** @description How far an image differs from the profiled image. */
        RecordStaleness: {
            /** @description The profiled image. */
            profiled: string;
            /** @description The number of recorded files in the profiled image. */
            comparedCount: number;
            /** @description The number of these files whose content differs in this image, or that it lacks. */
            changedCount: number;
            /** @description `changedCount` divided by `comparedCount`. */
            share: number;
        };
        /** @description The effect of a record on one image, and the estimated benefit. */
        RecordUse: {
            from?: components["schemas"]["RecordOrigin"];
            entryCount: number;
            /** @description The number of distinct recorded paths and globs. */
            pathCount: number;
            /** @description The number of recorded paths and globs that were found in the image. */
            placedCount: number;
            /** @description The number of those that were found through symlinks. */
            followedCount: number;
            /** @description The number of recorded paths that no layer has. */
            notFoundCount: number;
            /** @description The first recorded paths that no layer has; at most 1000 over all images of the report, and at most 1048576 bytes of names in the report. */
            notFound: {
                path: string;
                /** @description The most similar path in the image. */
                nearest?: string;
            }[];
            /** @description The number of recorded paths that a layer has but an upper layer removes. */
            hiddenCount: number;
            /** @description The first recorded paths that a layer has but an upper layer removes; at most 1000 over all images of the report, and at most 1048576 bytes of names in the report. */
            hidden: string[];
            /** @description The number of interpreters that the kernel opens for recorded programs and that no recorded path names. They are placed, too. */
            impliedCount?: number;
            /** @description The first 100 of these interpreters, as far as the bound on bytes of names allows. */
            implied?: {
                path: string;
                /** @description The recorded program that needs the interpreter. */
                by: string;
            }[];
            /** @description The number of recorded programs whose interpreters are unknown because their layers were not read. */
            unreadProgramCount?: number;
            layers: components["schemas"]["RecordUseLayer"][];
            /** @description The size of all layers. */
            imageBytes: number;
            /** @description The bytes of all layers that a start prefetches with this record. */
            prefetchBytes: number;
            /** @description Whether compressed sizes are exact; otherwise they are estimated in proportion to uncompressed sizes. */
            exact: boolean;
            staleness?: components["schemas"]["RecordStaleness"];
            /** @description Why the staleness of the record is unknown. */
            stalenessUnknown?: string;
            /** @description Estimates for a start that reads the recorded files. */
            start: {
                /** @description A lazy start with the recorded files first. */
                withRecord: components["schemas"]["FetchEstimate"];
                /** @description A lazy start that fetches each file when it is read. */
                withoutRecord: components["schemas"]["FetchEstimate"];
                /** @description A full pull of all layers. */
                wholePull: components["schemas"]["FetchEstimate"];
            };
        };
        /** @description The effect of a record on one layer. */
        RecordUseLayer: {
            /** @description The digest of the layer in the evaluated or source image. */
            digest: string;
            /** @description The size of the layer. */
            size: number;
            /** @description The number of entries that the record prioritizes, without parent directories. */
            fileCount: number;
            /** @description The uncompressed size of these entries. */
            bytes: number;
            /** @description The compressed bytes before the landmark. */
            prefetchBytes: number;
        };
        /** @description The credential of a project for a registry, without its password. */
        RegistryCredential: {
            project: components["schemas"]["ProjectName"];
            host: string;
            username: string;
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            updatedAt: string;
        };
        /** @description A page of registry credentials. */
        RegistryCredentialPage: {
            items: components["schemas"]["RegistryCredential"][];
            next?: string;
        };
        /** @description Fields and annotations that were removed because they describe bytes that the conversion replaced. */
        RemovedFields: {
            /** @description The digest of the index, manifest, config or layer of the source that the names were removed from. */
            digest: string;
            /** @description The removed names: `data`, `urls` and keys of annotations. */
            names: string[];
        };
        /** @description The root of a container on its host, which was removed from paths. */
        RemovedRoot: {
            root: string;
            /** @description The number of accesses whose path was below this root. */
            pathCount: number;
        };
        /**
         * @description Repositories: `host/repository`, `host/path/**` for those below a path, `host/**` for those of a registry, or `**` for all. The host `embedded` is the registry of the broker itself.
         * @example registry.example/team-a/**
         */
        RepositoryPattern: string;
        /**
         * @description The image that the record is applied to.
         * @example {
         *       "image": "registry.example/team/app:1.1",
         *       "platform": "linux/arm64"
         *     }
         */
        RetargetRequest: {
            /** @description The image to apply the record to: another version of the profiled image, or one for another architecture. */
            image: string;
            /** @description The platform of the image in an index. Required if the index has several. */
            platform?: string;
            /** @description Default: the workload of the record. */
            workload?: string;
            labels?: {
                [key: string]: string;
            };
        };
        /** @description The new record, and the paths that were lost. */
        RetargetedRecord: {
            record: components["schemas"]["StartupRecord"];
            platform: string;
            /** @description The number of recorded paths that the image does not have, or that an upper layer hides. */
            lostCount: number;
            /** @description `lostCount` divided by the number of recorded paths. */
            share: number;
            /** @description How the recorded paths apply to the image, including the lost ones. */
            use: components["schemas"]["RecordUse"];
        };
        /** @description What the rules remove, or in a run with a plan, what they removed. */
        RetentionReport: {
            dryRun: boolean;
            /** @description Send this plan with the same rules to remove what the report lists. */
            plan: string;
            records: {
                id: string;
                image?: string;
                workload?: string;
                /**
                 * Format: date-time
                 * @description A time in UTC (RFC 3339).
                 */
                createdAt: string;
                /** @description Why the rules remove it. */
                reason: string;
                /** @description Whether it was removed. Omitted in a dry run. */
                removed?: boolean;
                /** @description Why it could not be removed. */
                problem?: string;
            }[];
            recordImages: {
                reference: string;
                digest: string;
                image?: string;
                workload?: string;
                createdAt?: string;
                /** @description Why the rules remove it. */
                reason: string;
                /** @description Whether it was removed. Omitted in a dry run. */
                removed?: boolean;
                /** @description Why it could not be removed. */
                problem?: string;
            }[];
            /** @description Whether the rules remove more than one run can. */
            more: boolean;
        };
        /**
         * @description The rules that decide which old records to remove. Without a plan, a dry run.
         * @example {
         *       "rules": {
         *         "keepNewest": 5,
         *         "maxAgeDays": 90
         *       },
         *       "recordImages": true
         *     }
         */
        RetentionRequest: {
            rules: components["schemas"]["RetentionRules"];
            /** @description Whether to also remove record images from the backing registry. Those of other tools are never removed. */
            recordImages?: boolean;
            /** @description The plan of a dry run; removes what that dry run listed. If omitted, this is a dry run. */
            plan?: string;
        };
        /**
         * @description Rules that keep records and record images.
         * @example {
         *       "keepNewest": 5,
         *       "maxAgeDays": 90
         *     }
         */
        RetentionRules: {
            /** @description The number of newest records of each image and workload to keep. */
            keepNewest?: number;
            /** @description Keep records that are younger than this. With keepNewest, the newest are kept at any age. */
            maxAgeDays?: number;
            /** @description Whether to always keep published records; default: true. */
            keepPublished?: boolean;
        };
        /**
         * @description What a caller may do. `admin` includes all other scopes.
         * @enum {string}
         */
        Scope: "records:read" | "records:write" | "records:delete" | "record-images:read" | "record-images:write" | "conversions:read" | "conversions:write" | "rules:write" | "cache:write" | "registry:pull" | "registry:push" | "admin";
        /**
         * @description What jobs did over time, by the hour or the day in which they ended.
         * @example {
         *       "interval": "day",
         *       "from": "2026-01-02T00:00:00.000Z",
         *       "to": "2026-01-03T00:00:00.000Z",
         *       "items": [
         *         {
         *           "from": "2026-01-02T00:00:00.000Z",
         *           "succeeded": 120,
         *           "failed": 2,
         *           "cancelled": 0,
         *           "attemptCount": 125,
         *           "retryCount": 3,
         *           "bytesIn": 81920000000,
         *           "bytesOut": 82000000000,
         *           "bytesReused": 40000000000,
         *           "waitMs": {
         *             "p50": 210,
         *             "p90": 1800,
         *             "p99": 9500
         *           },
         *           "runMs": {
         *             "p50": 11000,
         *             "p90": 48000,
         *             "p99": 130000
         *           }
         *         }
         *       ]
         *     }
         */
        Series: {
            /** @enum {string} */
            interval: "hour" | "day";
            /**
             * Format: date-time
             * @description The start of the first interval.
             */
            from: string;
            /**
             * Format: date-time
             * @description The end of the last interval.
             */
            to: string;
            /**
             * @description Jobs that ended before an upgrade are still being added to the counts.
             * @constant
             */
            backfilling?: true;
            items: components["schemas"]["SeriesPoint"][];
        };
        /** @description What jobs did in one hour or one day. */
        SeriesPoint: {
            /**
             * Format: date-time
             * @description The start of the interval, in UTC.
             */
            from: string;
            /** @description Jobs that ended in this state. */
            succeeded: number;
            failed: number;
            cancelled: number;
            /** @description Attempts that ended. */
            attemptCount: number;
            /** @description Attempts that failed and were followed by another one. */
            retryCount: number;
            /** @description The compressed bytes of layers that were converted or verified. */
            bytesIn: number;
            /** @description The compressed bytes of layers that conversions wrote. */
            bytesOut: number;
            /** @description The compressed bytes of layers of earlier conversions that were used unchanged. */
            bytesReused: number;
            /** @description How long the jobs that ended were queued before a worker first started them. Omitted if there were none. */
            waitMs?: components["schemas"]["DurationPercentiles"];
            /** @description How long the jobs that succeeded took from their first start to their end. Omitted if there were none. */
            runMs?: components["schemas"]["DurationPercentiles"];
        };
        /**
         * @description The number of accesses of a profile that did not become entries of the record, by reason.
         * @example {
         *       "pseudo": 12,
         *       "failed": 340,
         *       "relative": 1,
         *       "relativePaths": [
         *         "conf/app.json"
         *       ]
         *     }
         */
        SkippedAccesses: {
            /** @description Paths in /proc, /sys and /dev, which no image contains. */
            pseudo?: number;
            /** @description Calls that failed. */
            failed?: number;
            /** @description Files that the program created, or that were deleted. */
            created?: number;
            /** @description Relative paths whose directory the profile does not show. */
            relative?: number;
            /** @description Accesses without a path. */
            nameless?: number;
            /** @description Names that are not UTF-8. */
            encoding?: number;
            /** @description Repeated accesses of an entry. */
            repeated?: number;
            /** @description Paths outside of the named root. */
            outside?: number;
            /** @description Paths that the upload excluded. */
            excluded?: number;
            /** @description Lines that do not belong to the format. */
            foreign?: number;
            /** @description Other events, summaries, and truncated lines. */
            other?: number;
            /** @description The first skipped relative paths. */
            relativePaths?: string[];
        };
        /** @description A record from which another record was made. */
        SourceRecord: {
            id: string;
            digest: string;
            image?: string;
            workload?: string;
            /** Format: date-time */
            createdAt: string;
        };
        /**
         * @description A start-up record, without its entries.
         * @example {
         *       "id": "019ab1c2-7a30-7000-8000-4b1c2d3e4f50",
         *       "project": "team-a",
         *       "digest": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
         *       "image": "registry.example/team/app:1.0",
         *       "workload": "serve",
         *       "labels": {
         *         "commit": "4f2a91c"
         *       },
         *       "format": "strace",
         *       "entryCount": 214,
         *       "pathCount": 210,
         *       "skipped": {
         *         "pseudo": 12,
         *         "failed": 340
         *       },
         *       "profiler": "strace",
         *       "createdAt": "2026-01-02T03:04:05.678Z",
         *       "publications": []
         *     }
         */
        StartupRecord: {
            id: string;
            project: components["schemas"]["ProjectName"];
            /** @description The digest of the record file. Records with the same content have the same digest. */
            digest: string;
            /** @description The profiled image. */
            image?: string;
            workload?: string;
            labels: {
                [key: string]: string;
            };
            /** @description The format of the uploaded profile. */
            format: components["schemas"]["RecordFormat"];
            /** @description The number of entries. */
            entryCount: number;
            /** @description The number of distinct paths among the entries. */
            pathCount: number;
            skipped: components["schemas"]["SkippedAccesses"];
            /** @description The first 20 roots of containers on the host that were removed from paths. */
            roots?: components["schemas"]["RemovedRoot"][];
            /** @description Possible problems of the profile, such as foreign lines, and wrappers that were traced together with the program. */
            warnings?: string[];
            /** @description The profiler that created the profile. */
            profiler?: string;
            profilerVersion?: string;
            provenance?: components["schemas"]["RecordProvenance"];
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            createdAt: string;
            publications: components["schemas"]["RecordPublication"][];
        };
        /** @description A tag that a conversion moves, and the state of that move. */
        TagMove: {
            target: string;
            digest: string;
            /**
             * @description `pending`: the tag is about to move, or the result of the move is not known yet. `moved`: the tag moved. `not-moved`: it did not.
             * @enum {string}
             */
            state: "pending" | "moved" | "not-moved";
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            updatedAt: string;
        };
        /** @description An uploaded record, and how many of its paths the profiled image has. */
        UploadedRecord: {
            id: string;
            project: components["schemas"]["ProjectName"];
            /** @description The digest of the record file. Records with the same content have the same digest. */
            digest: string;
            /** @description The profiled image. */
            image?: string;
            workload?: string;
            labels: {
                [key: string]: string;
            };
            /** @description The format of the uploaded profile. */
            format: components["schemas"]["RecordFormat"];
            /** @description The number of entries. */
            entryCount: number;
            /** @description The number of distinct paths among the entries. */
            pathCount: number;
            skipped: components["schemas"]["SkippedAccesses"];
            /** @description The first 20 roots of containers on the host that were removed from paths. */
            roots?: components["schemas"]["RemovedRoot"][];
            /** @description Possible problems of the profile, such as foreign lines, and wrappers that were traced together with the program. */
            warnings?: string[];
            /** @description The profiler that created the profile. */
            profiler?: string;
            profilerVersion?: string;
            provenance?: components["schemas"]["RecordProvenance"];
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            createdAt: string;
            publications: components["schemas"]["RecordPublication"][];
            inImage?: components["schemas"]["FoundInImage"];
        };
        /**
         * @description A job that verifies an image.
         * @example {
         *       "id": "019ab1c2-7a30-7000-8000-4b1c2d3e4f50",
         *       "project": "default",
         *       "state": "queued",
         *       "attemptCount": 0,
         *       "createdAt": "2026-01-02T03:04:05.678Z",
         *       "labels": {
         *         "pipeline": "4711"
         *       },
         *       "priority": 0,
         *       "reference": "registry.example/team/app:1.0-esgz",
         *       "request": {
         *         "reference": "registry.example/team/app:1.0-esgz"
         *       },
         *       "attempts": []
         *     }
         */
        Verification: {
            id: string;
            /** @description The project that the job belongs to. */
            project: string;
            state: components["schemas"]["JobState"];
            error?: components["schemas"]["JobError"];
            /** @description The number of times that a worker has started the job. */
            attemptCount: number;
            /**
             * @description Cancellation was requested; the job stops soon.
             * @constant
             */
            cancelRequested?: true;
            /**
             * Format: date-time
             * @description When a queued job is retried after a failed attempt.
             */
            nextAttemptAt?: string;
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description When a worker first started the job. A retry by request clears it.
             */
            startedAt?: string;
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            finishedAt?: string;
            /** @description Only while the verification is running. */
            progress?: components["schemas"]["VerificationProgress"];
            labels: {
                [key: string]: string;
            };
            priority: number;
            /** @description The `X-Request-Id` of the request that created the job; log lines about the job contain it. */
            requestId?: string;
            reference: string;
            /** @description The image to compare with. */
            source?: string;
            /** @description Whether all checks succeeded. Only if the verification could be carried out. */
            verified?: boolean;
            request: components["schemas"]["VerificationRequest"];
            /** @description Only while the verification is queued, and only if it is requested by its id. */
            waiting?: components["schemas"]["JobWaiting"];
            /** @description Only if the verification could be carried out. `verified` is its result. */
            report?: components["schemas"]["VerificationReport"];
            attempts: components["schemas"]["JobAttempt"][];
        };
        /**
         * @description The verifications to cancel. At least one filter is required, and all of them have to match.
         * @example {
         *       "labels": {
         *         "pipeline": "4711"
         *       }
         *     }
         */
        VerificationCancellationFilter: {
            /** @description Only verifications of this image. */
            reference?: string;
            /** @description Only verifications that compare an image with this source. */
            source?: string;
            /** @description Only jobs in one of these states. Default: both. */
            state?: ("queued" | "running")[];
            /** @description Only jobs with all of these labels. */
            labels?: {
                [key: string]: string;
            };
            /** @description Only jobs whose source or target is in this repository. */
            repository?: string;
            /**
             * Format: date-time
             * @description Only jobs created at this time or later.
             */
            createdFrom?: string;
            /**
             * Format: date-time
             * @description Only jobs created before this time.
             */
            createdBefore?: string;
            /**
             * Format: date-time
             * @description Only jobs that finished at this time or later.
             */
            finishedFrom?: string;
            /**
             * Format: date-time
             * @description Only jobs that finished before this time.
             */
            finishedBefore?: string;
            /** @description The value of `next` in the previous response. */
            cursor?: string;
            /** @description Only those of this project. Default: all that the caller sees: an administrator those of all projects, others those of their own. */
            project?: components["schemas"]["ProjectName"];
            /** @description The maximum number of jobs, up to 1000. Default: 1000. */
            limit?: number;
            /** @description Only lists the jobs that match. Default: false. */
            dryRun?: boolean;
        };
        /** @description A page of verifications, newest first. */
        VerificationPage: {
            items: components["schemas"]["VerificationSummary"][];
            next?: string;
        };
        /** @description The progress of a running verification. */
        VerificationProgress: {
            layerCount: number;
            doneLayerCount: number;
            /** @description The size of the layers that are read, in bytes. */
            totalBytes?: number;
            /** @description The bytes of these layers that were read so far. */
            readBytes?: number;
        };
        /** @description The result of a verification. */
        VerificationReport: {
            /** @description The reference of the verified image with its digest. */
            reference: string;
            /** @description Whether all checks succeeded. */
            verified: boolean;
            images: {
                /** @description os/architecture[/variant] */
                platform: string;
                digest: string;
                layers: components["schemas"]["VerifiedLayer"][];
                /** @description The differences between the view of a lazy reader and that of a pull of the source, if a source was given; empty if there are none. */
                differences?: string[];
            }[];
            durationMs: number;
        };
        /**
         * @description An eStargz image to verify, and the image to compare it with.
         * @example {
         *       "reference": "registry.example/team/app:1.0-esgz",
         *       "source": "registry.example/team/app:1.0"
         *     }
         */
        VerificationRequest: {
            /** @description The eStargz image to verify. */
            reference: string;
            /** @description The image that it was converted from; if given, the root file systems of both are compared. */
            source?: string;
            /** @description The platforms to use from an index; default: all of them. */
            platforms?: string[];
        };
        /**
         * @description The verifications to retry. At least one filter is required, and all of them have to match.
         * @example {
         *       "labels": {
         *         "pipeline": "4711"
         *       }
         *     }
         */
        VerificationRetryFilter: {
            /** @description Only verifications of this image. */
            reference?: string;
            /** @description Only verifications that compare an image with this source. */
            source?: string;
            /** @description Only jobs in one of these states. Default: both. */
            state?: ("failed" | "cancelled")[];
            /** @description Only jobs with all of these labels. */
            labels?: {
                [key: string]: string;
            };
            /** @description Only jobs whose source or target is in this repository. */
            repository?: string;
            /**
             * Format: date-time
             * @description Only jobs created at this time or later.
             */
            createdFrom?: string;
            /**
             * Format: date-time
             * @description Only jobs created before this time.
             */
            createdBefore?: string;
            /**
             * Format: date-time
             * @description Only jobs that finished at this time or later.
             */
            finishedFrom?: string;
            /**
             * Format: date-time
             * @description Only jobs that finished before this time.
             */
            finishedBefore?: string;
            /** @description The value of `next` in the previous response. */
            cursor?: string;
            /** @description Only those of this project. Default: all that the caller sees: an administrator those of all projects, others those of their own. */
            project?: components["schemas"]["ProjectName"];
            /** @description The maximum number of jobs, up to 1000. Default: 1000. */
            limit?: number;
            /** @description Only lists the jobs that match. Default: false. */
            dryRun?: boolean;
        };
        /**
         * @description A verification in a listing.
         * @example {
         *       "id": "019ab1c2-7a30-7000-8000-4b1c2d3e4f50",
         *       "project": "default",
         *       "state": "queued",
         *       "attemptCount": 0,
         *       "createdAt": "2026-01-02T03:04:05.678Z",
         *       "labels": {
         *         "pipeline": "4711"
         *       },
         *       "priority": 0,
         *       "reference": "registry.example/team/app:1.0-esgz"
         *     }
         */
        VerificationSummary: {
            id: string;
            /** @description The project that the job belongs to. */
            project: string;
            state: components["schemas"]["JobState"];
            error?: components["schemas"]["JobError"];
            /** @description The number of times that a worker has started the job. */
            attemptCount: number;
            /**
             * @description Cancellation was requested; the job stops soon.
             * @constant
             */
            cancelRequested?: true;
            /**
             * Format: date-time
             * @description When a queued job is retried after a failed attempt.
             */
            nextAttemptAt?: string;
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description When a worker first started the job. A retry by request clears it.
             */
            startedAt?: string;
            /**
             * Format: date-time
             * @description A time in UTC (RFC 3339).
             */
            finishedAt?: string;
            /** @description Only while the job is running. */
            progress?: components["schemas"]["ProgressSummary"];
            labels: {
                [key: string]: string;
            };
            priority: number;
            /** @description The `X-Request-Id` of the request that created the job; log lines about the job contain it. */
            requestId?: string;
            reference: string;
            /** @description The image to compare with. */
            source?: string;
            /** @description Whether all checks succeeded. Only if the verification could be carried out. */
            verified?: boolean;
        };
        /** @description The result of the verification of one layer. */
        VerifiedLayer: {
            digest: string;
            size: number;
            tocDigest?: string;
            diffId?: string;
            entryCount?: number;
            /** @description The number of chunks whose digests were checked. */
            chunkCount?: number;
            /** @enum {string} */
            landmark?: "prefetch" | "no-prefetch";
            prioritizedFileCount?: number;
            /** @description The problem of the layer; omitted if there is none. */
            problem?: string;
        };
    };
    responses: {
        /** @description The response with this `ETag` is still current. */
        NotModified: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                ETag: components["headers"]["ETag"];
                "Cache-Control": components["headers"]["Cache-Control"];
                [name: string]: unknown;
            };
            content?: never;
        };
        /** @description The request is invalid. `errors` or `line` shows where. */
        BadRequest: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The credential is missing or wrong, has expired or was revoked. */
        Unauthorized: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The credential lacks a scope or may not use a repository, or the broker may not contact the registry or callback address that the request names, or does not accept requests from the page that sent it. */
        Forbidden: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The resource does not exist. */
        NotFound: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The path does not have this method. `Allow` lists those that it has. */
        MethodNotAllowed: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                Allow: components["headers"]["Allow"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The request body arrived too slowly. */
        RequestTimeout: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The request conflicts with the current state of the resource. */
        Conflict: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "Retry-After": components["headers"]["Retry-After"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The request body is larger than the broker accepts. */
        PayloadTooLarge: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The broker does not accept the content type or content encoding. */
        UnsupportedMediaType: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                "Accept-Encoding": components["headers"]["Accept-Encoding"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Requests for this host need a token. */
        MisdirectedRequest: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Cache-Control": components["headers"]["Cache-Control"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The request is well formed, but the broker cannot process it. */
        UnprocessableEntity: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The caller sent more requests, or wrong credentials, than it may, or its project has used up a quota. Retry after `Retry-After`. */
        TooManyRequests: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "Retry-After": components["headers"]["Retry-After"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The request line, its query included, and the headers are larger than 16 KiB. */
        RequestHeaderFieldsTooLarge: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description A registry failed or returned an invalid response. */
        BadGateway: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The broker, its database or a registry is temporarily unavailable. Retry after `Retry-After`. */
        ServiceUnavailable: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "Retry-After": components["headers"]["Retry-After"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The request took longer than the broker allows. */
        GatewayTimeout: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The broker's disk is full; requests succeed again once space is free. Retry after `Retry-After`. */
        InsufficientStorage: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "Retry-After": components["headers"]["Retry-After"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        /**
         * @description The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.
         * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
         */
        "Idempotency-Key": string;
        /**
         * @description `wait=SECONDS`, up to 60: the response waits until the job has finished, or for that time (RFC 7240).
         * @example wait=30
         */
        Prefer: string;
        /**
         * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
         * @example W/"x1qJ"
         */
        "If-None-Match": string;
        /**
         * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
         * @example team-a
         */
        "Record-Broker-Project": string;
        /**
         * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
         * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
         */
        "X-Request-Id": string;
    };
    requestBodies: never;
    headers: {
        /**
         * @description The id of the request, as in the log lines about it.
         * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
         */
        "X-Request-Id": string;
        /**
         * @description The path of what the request created or found.
         * @example /v1/conversions/019ab1c2-7a30-7000-8000-4b1c2d3e4f50
         */
        Location: string;
        /**
         * @description The response repeats that of an earlier request with the same `Idempotency-Key`.
         * @example true
         */
        "Idempotency-Replayed": "true";
        /**
         * @description The preference that the broker followed, with the time it was ready to wait.
         * @example wait=30
         */
        "Preference-Applied": string;
        /**
         * @description The version of the response, for `If-None-Match`. Long documents have none.
         * @example W/"x1qJ"
         */
        ETag: string;
        /**
         * @description How long a cache of the caller may use the response. What a digest names never changes.
         * @example private, no-cache
         */
        "Cache-Control": string;
        /**
         * @description The number of seconds to wait before the request is sent again. 409 has it while a request with the same `Idempotency-Key` is in progress.
         * @example 5
         */
        "Retry-After": number;
        /**
         * @description The requests per minute that the caller may send. Missing if it has no limit.
         * @example 6000
         */
        "RateLimit-Limit": number;
        /**
         * @description How many of these requests are left.
         * @example 5999
         */
        "RateLimit-Remaining": number;
        /**
         * @description The number of seconds until the caller may send as many again.
         * @example 60
         */
        "RateLimit-Reset": number;
        /**
         * @description The methods of the path.
         * @example GET, HEAD
         */
        Allow: string;
        /**
         * @description How to send the token.
         * @example Bearer
         */
        "WWW-Authenticate": string;
        /**
         * @description The content encodings that records may have, if that of the request is not one of them.
         * @example gzip, deflate, br, zstd
         */
        "Accept-Encoding": string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getHealth: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
        };
    };
    getReadiness: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            /** @description The database does not respond, or the server is stopping. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
        };
    };
    getCaller: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Caller"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    listRecords: {
        parameters: {
            query?: {
                /** @description The profiled image: a reference, or only a digest. */
                image?: string;
                /** @description The workload that ran in the container, such as `go-version`. */
                workload?: string;
                digest?: string;
                /** @description A label, as `key=value`. Can be repeated. */
                label?: string | string[];
                /** @description The starts of words in image, workload and labels. */
                text?: string;
                /** @description Only records created at this time or later. */
                createdFrom?: string;
                /** @description Only records created before this time. */
                createdBefore?: string;
                project?: components["schemas"]["ProjectName"];
                /** @description The maximum number of items per page. */
                limit?: number;
                /** @description The value of `next` in the previous page. */
                cursor?: string;
            };
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecordPage"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    uploadRecord: {
        parameters: {
            query?: {
                /** @description The profiled image: a reference, or only a digest. */
                image?: string;
                /** @description The workload that ran in the container, such as `go-version`. */
                workload?: string;
                format?: components["schemas"]["RecordFormat"];
                /** @description The working directory of the profiled program at its start. Relative paths in the log are resolved against it. */
                workingDirectory?: string;
                /** @description The root of the container as the profiler saw it on the host. It is removed from paths, and paths outside it are skipped. If omitted, the container roots of docker, containerd, podman and CRI-O are recognized. */
                root?: string;
                /** @description A glob of paths to skip, such as those of a wrapper script. Can be repeated. */
                exclude?: string | string[];
                /** @description The profiler that created the profile. Default: derived from the format. */
                profiler?: string;
                profilerVersion?: string;
                /** @description A label, as `key=value`. Can be repeated. */
                label?: string | string[];
                /** @description Whether to publish the record, too. `true` publishes it to the default reference in the backing registry; a reference publishes it there. Requires the scope `record-images:write`, too. */
                publish?: string;
                /** @description Whether publishing may move a tag that refers to a different manifest. Requires `publish`. */
                overwrite?: "true" | "false";
            };
            header?: {
                /**
                 * @description The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        /** @description The record as the profiler wrote it. */
        requestBody: {
            content: {
                /**
                 * @example {"path":"usr/bin/app"}
                 *     {"path":"etc/app.conf"}
                 */
                "application/x-ndjson": string;
                /**
                 * @example # what app opens
                 *     /usr/bin/app
                 *     /etc/app.conf
                 *     /usr/lib/**\/*.so
                 */
                "text/plain": string;
            };
        };
        responses: {
            /** @description The record already existed. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UploadedRecord"];
                };
            };
            /** @description The record was stored. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UploadedRecord"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            502: components["responses"]["BadGateway"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    getRecord: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StartupRecord"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    deleteRecord: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The record was deleted. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            409: components["responses"]["Conflict"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    getRecordContent: {
        parameters: {
            query?: {
                format?: "stargz-record" | "path-list" | "nydus-list" | "overlaybd-list" | "soci";
            };
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The entries of the record. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                    "text/plain": string;
                    "application/json": string[];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    evaluateRecord: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EvaluationRequest"];
            };
        };
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecordEvaluation"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            502: components["responses"]["BadGateway"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    mergeRecords: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MergeRequest"];
            };
        };
        responses: {
            /** @description The record already existed. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StartupRecord"];
                };
            };
            /** @description The record was created. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StartupRecord"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    diffRecords: {
        parameters: {
            query?: {
                /** @description The maximum number of entries to list for each record. */
                limit?: number;
            };
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                a: string;
                b: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecordDiff"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    retargetRecord: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RetargetRequest"];
            };
        };
        responses: {
            /** @description The record already existed. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RetargetedRecord"];
                };
            };
            /** @description The record was created. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RetargetedRecord"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            502: components["responses"]["BadGateway"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    publishRecord: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PublicationRequest"];
            };
        };
        responses: {
            /** @description Default Response */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PublishedRecord"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            502: components["responses"]["BadGateway"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    listRecordImages: {
        parameters: {
            query?: {
                /** @description A repository as `host/name`, or the name of a repository in the backing registry. */
                repository?: string;
                /** @description A label, as `key=value`. Can be repeated. */
                label?: string | string[];
                /** @description true: compares the repository, the image, or else the whole backing registry with the catalogue first, which takes requests to the registry. false: the catalogue as it is. */
                fresh?: "true" | "false";
                /** @description The profiled image: a reference, or only a digest. */
                image?: string;
                /** @description The workload that ran in the container, such as `go-version`. */
                workload?: string;
                /** @description The starts of words in repository, tag, image and workload. */
                text?: string;
                /** @description Only records created at this time or later. */
                createdFrom?: string;
                /** @description Only records created before this time. */
                createdBefore?: string;
                /** @description The maximum number of items per page. */
                limit?: number;
                /** @description The value of `next` in the previous page. */
                cursor?: string;
            };
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecordImagePage"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            502: components["responses"]["BadGateway"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    getRecordImage: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                /** @description An image reference. It is the rest of the path and may contain slashes: `/registry.example/team/app:1.0`. */
                reference: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecordImage"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            413: components["responses"]["PayloadTooLarge"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            502: components["responses"]["BadGateway"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    applyRetention: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RetentionRequest"];
            };
        };
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RetentionReport"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            502: components["responses"]["BadGateway"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    listConversions: {
        parameters: {
            query?: {
                source?: string;
                target?: string;
                /** @description Only the conversions of this batch. */
                batch?: string;
                /** @description Only jobs in this state. Can be repeated. */
                state?: components["schemas"]["JobState"] | components["schemas"]["JobState"][];
                /** @description A label, as `key=value`. Can be repeated. */
                label?: string | string[];
                /** @description Only jobs whose source or target is in this repository. */
                repository?: string;
                /** @description Only jobs created at this time or later. */
                createdFrom?: string;
                /** @description Only jobs created before this time. */
                createdBefore?: string;
                /** @description Only jobs that finished at this time or later. */
                finishedFrom?: string;
                /** @description Only jobs that finished before this time. */
                finishedBefore?: string;
                /** @description The maximum number of items per page. */
                limit?: number;
                /** @description The value of `next` in the previous page. */
                cursor?: string;
                project?: components["schemas"]["ProjectName"];
            };
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversionPage"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    createConversion: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /**
                 * @description `wait=SECONDS`, up to 60: the response waits until the job has finished, or for that time (RFC 7240).
                 * @example wait=30
                 */
                Prefer?: components["parameters"]["Prefer"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewConversion"];
            };
        };
        responses: {
            /** @description The conversion has finished or existed before. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Preference-Applied": components["headers"]["Preference-Applied"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Conversion"];
                };
            };
            /** @description The conversion was accepted. */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Preference-Applied": components["headers"]["Preference-Applied"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Conversion"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    getConversion: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description `wait=SECONDS`, up to 60: the response waits until the job has finished, or for that time (RFC 7240).
                 * @example wait=30
                 */
                Prefer?: components["parameters"]["Prefer"];
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Preference-Applied": components["headers"]["Preference-Applied"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Conversion"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    cancelConversion: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /**
                 * @description `wait=SECONDS`, up to 60: the response waits until the job has finished, or for that time (RFC 7240).
                 * @example wait=30
                 */
                Prefer?: components["parameters"]["Prefer"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The conversion is cancelled. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Preference-Applied": components["headers"]["Preference-Applied"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Conversion"];
                };
            };
            /** @description The conversion stops soon. */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Preference-Applied": components["headers"]["Preference-Applied"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Conversion"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            409: components["responses"]["Conflict"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    retryConversion: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /**
                 * @description `wait=SECONDS`, up to 60: the response waits until the job has finished, or for that time (RFC 7240).
                 * @example wait=30
                 */
                Prefer?: components["parameters"]["Prefer"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Preference-Applied": components["headers"]["Preference-Applied"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Conversion"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            409: components["responses"]["Conflict"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    countConversions: {
        parameters: {
            query?: {
                project?: components["schemas"]["ProjectName"];
            };
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobCounts"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    readConversionSeries: {
        parameters: {
            query?: {
                project?: components["schemas"]["ProjectName"];
                interval?: "hour" | "day";
                /** @description The series starts with the interval that contains this time. Default: 48 hours or 30 days before its end. */
                from?: string;
                /** @description The series ends before this time. Default: now, the current interval included. */
                to?: string;
            };
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Series"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    streamConversionEvents: {
        parameters: {
            query?: never;
            header?: {
                /** @description The id of the last event that the client received. The stream continues after it. */
                "Last-Event-ID"?: string;
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A stream of events. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description There are no more events. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    listConversionCallbacks: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["JobCallback"][];
                    };
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    cancelConversions: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConversionCancellationFilter"];
            };
        };
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkResult"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    retryConversions: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConversionRetryFilter"];
            };
        };
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkResult"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    streamEvents: {
        parameters: {
            query?: {
                /** @description Only events of jobs of this kind. Can be repeated. */
                kind?: ("conversion" | "verification") | ("conversion" | "verification")[];
                /** @description Only events of this type. Can be repeated. */
                type?: ("queued" | "started" | "retrying" | "throttled" | "released" | "crashed" | "cancel-requested" | "succeeded" | "failed" | "cancelled" | "progress") | ("queued" | "started" | "retrying" | "throttled" | "released" | "crashed" | "cancel-requested" | "succeeded" | "failed" | "cancelled" | "progress")[];
                /** @description A label, as `key=value`. Can be repeated. */
                label?: string | string[];
                project?: components["schemas"]["ProjectName"];
            };
            header?: {
                /** @description The id of the last event that the client received. The stream continues after it. */
                "Last-Event-ID"?: string;
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A stream of events. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    listRules: {
        parameters: {
            query?: {
                project?: components["schemas"]["ProjectName"];
            };
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["ConversionRule"][];
                    };
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    createRule: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewConversionRule"];
            };
        };
        responses: {
            /** @description Default Response */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversionRule"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    getRule: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversionRule"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    replaceRule: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewConversionRule"];
            };
        };
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversionRule"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    deleteRule: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The rule was deleted. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    hookDistribution: {
        parameters: {
            query?: {
                /** @description The host name by which the broker knows the registry, if the registry uses a different name for itself. */
                host?: string;
            };
            header?: {
                /**
                 * @description The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DistributionNotification"];
            };
        };
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PushOutcomes"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    hookHarbor: {
        parameters: {
            query?: {
                /** @description The host name by which the broker knows the registry, if the registry uses a different name for itself. */
                host?: string;
            };
            header?: {
                /**
                 * @description The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["HarborWebhook"];
            };
        };
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PushOutcomes"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    hookCloudEvents: {
        parameters: {
            query?: {
                /** @description The host name by which the broker knows the registry, if the registry uses a different name for itself. */
                host?: string;
            };
            header?: {
                /**
                 * @description The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CloudEvent"];
            };
        };
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PushOutcomes"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    listBatches: {
        parameters: {
            query?: {
                /** @description Only batches in this state. Can be repeated. */
                state?: ("running" | "succeeded" | "failed") | ("running" | "succeeded" | "failed")[];
                /** @description A label, as `key=value`. Can be repeated. */
                label?: string | string[];
                /** @description Only batches created at this time or later. */
                createdFrom?: string;
                /** @description Only batches created before this time. */
                createdBefore?: string;
                project?: components["schemas"]["ProjectName"];
                /** @description The maximum number of items per page. */
                limit?: number;
                /** @description The value of `next` in the previous page. */
                cursor?: string;
            };
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversionBatchPage"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    createBatch: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewConversionBatch"];
            };
        };
        responses: {
            /** @description Default Response */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversionBatch"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    getBatch: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversionBatch"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    listBatch: {
        parameters: {
            query?: {
                /** @description The maximum number of items per page. */
                limit?: number;
                /** @description The value of `next` in the previous page. */
                cursor?: string;
            };
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversionBatchItems"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    cancelBatch: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversionBatch"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            409: components["responses"]["Conflict"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    listVerifications: {
        parameters: {
            query?: {
                /** @description Only verifications of this image. */
                reference?: string;
                /** @description Only verifications that compare an image with this source. */
                source?: string;
                /** @description Only verifications with this result. */
                verified?: "true" | "false";
                /** @description Only jobs in this state. Can be repeated. */
                state?: components["schemas"]["JobState"] | components["schemas"]["JobState"][];
                /** @description A label, as `key=value`. Can be repeated. */
                label?: string | string[];
                /** @description Only jobs whose source or target is in this repository. */
                repository?: string;
                /** @description Only jobs created at this time or later. */
                createdFrom?: string;
                /** @description Only jobs created before this time. */
                createdBefore?: string;
                /** @description Only jobs that finished at this time or later. */
                finishedFrom?: string;
                /** @description Only jobs that finished before this time. */
                finishedBefore?: string;
                /** @description The maximum number of items per page. */
                limit?: number;
                /** @description The value of `next` in the previous page. */
                cursor?: string;
                project?: components["schemas"]["ProjectName"];
            };
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VerificationPage"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    createVerification: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /**
                 * @description `wait=SECONDS`, up to 60: the response waits until the job has finished, or for that time (RFC 7240).
                 * @example wait=30
                 */
                Prefer?: components["parameters"]["Prefer"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewVerification"];
            };
        };
        responses: {
            /** @description The verification has finished or existed before. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Preference-Applied": components["headers"]["Preference-Applied"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Verification"];
                };
            };
            /** @description The verification was accepted. */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Preference-Applied": components["headers"]["Preference-Applied"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Verification"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    getVerification: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description `wait=SECONDS`, up to 60: the response waits until the job has finished, or for that time (RFC 7240).
                 * @example wait=30
                 */
                Prefer?: components["parameters"]["Prefer"];
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Preference-Applied": components["headers"]["Preference-Applied"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Verification"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    cancelVerification: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /**
                 * @description `wait=SECONDS`, up to 60: the response waits until the job has finished, or for that time (RFC 7240).
                 * @example wait=30
                 */
                Prefer?: components["parameters"]["Prefer"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The verification is cancelled. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Preference-Applied": components["headers"]["Preference-Applied"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Verification"];
                };
            };
            /** @description The verification stops soon. */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Preference-Applied": components["headers"]["Preference-Applied"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Verification"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            409: components["responses"]["Conflict"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    retryVerification: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /**
                 * @description `wait=SECONDS`, up to 60: the response waits until the job has finished, or for that time (RFC 7240).
                 * @example wait=30
                 */
                Prefer?: components["parameters"]["Prefer"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Preference-Applied": components["headers"]["Preference-Applied"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Verification"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            409: components["responses"]["Conflict"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    countVerifications: {
        parameters: {
            query?: {
                project?: components["schemas"]["ProjectName"];
            };
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobCounts"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    readVerificationSeries: {
        parameters: {
            query?: {
                project?: components["schemas"]["ProjectName"];
                interval?: "hour" | "day";
                /** @description The series starts with the interval that contains this time. Default: 48 hours or 30 days before its end. */
                from?: string;
                /** @description The series ends before this time. Default: now, the current interval included. */
                to?: string;
            };
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Series"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    streamVerificationEvents: {
        parameters: {
            query?: never;
            header?: {
                /** @description The id of the last event that the client received. The stream continues after it. */
                "Last-Event-ID"?: string;
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A stream of events. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description There are no more events. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    listVerificationCallbacks: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["JobCallback"][];
                    };
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    cancelVerifications: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VerificationCancellationFilter"];
            };
        };
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkResult"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    retryVerifications: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VerificationRetryFilter"];
            };
        };
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkResult"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    getCache: {
        parameters: {
            query?: {
                /** @description The number of days to count uses for, including today. */
                days?: number;
            };
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversionCache"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    purgeCache: {
        parameters: {
            query?: {
                /** @description Removes only entries of this registry. */
                registry?: string;
                /** @description Removes only entries of this repository. */
                repository?: string;
                /** @description Removes only the entry with this converted layer, manifest or index. */
                digest?: string;
            };
            header?: {
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CacheEntryCounts"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    checkCache: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CacheEntryCounts"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            409: components["responses"]["Conflict"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    listImages: {
        parameters: {
            query?: {
                /** @description A repository as `host/name`, or the name of a repository in the backing registry. */
                repository?: string;
                /** @description A label, as `key=value`. Can be repeated. */
                label?: string | string[];
                /** @description true: compares the repository, the image, or else the whole backing registry with the catalogue first, which takes requests to the registry. false: the catalogue as it is. */
                fresh?: "true" | "false";
                /** @description A reference, a repository, or only a digest. */
                image?: string;
                /** @description The starts of words in repository and tag. */
                text?: string;
                /** @description Only images first seen at this time or later. */
                seenFrom?: string;
                /** @description Only images first seen before this time. */
                seenBefore?: string;
                /** @description The maximum number of items per page. */
                limit?: number;
                /** @description The value of `next` in the previous page. */
                cursor?: string;
            };
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImagePage"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            502: components["responses"]["BadGateway"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    getImageRelations: {
        parameters: {
            query: {
                /** @description A reference, or only a digest. A digest counts more than a tag. */
                image: string;
                /** @description The maximum number of items of each kind. */
                limit?: number;
            };
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImageRelations"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    inspectImage: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                /** @description An image reference. It is the rest of the path and may contain slashes: `/registry.example/team/app:1.0`. */
                reference: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImageInspection"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            502: components["responses"]["BadGateway"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    listProjects: {
        parameters: {
            query?: {
                /** @description The maximum number of items per page. */
                limit?: number;
                cursor?: components["schemas"]["ProjectName"];
            };
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProjectPage"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    getProject: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                name: components["schemas"]["ProjectName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Project"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    putProject: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                name: components["schemas"]["ProjectName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProjectRules"];
            };
        };
        responses: {
            /** @description The rules were replaced. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Project"];
                };
            };
            /** @description The project was created. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Project"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    deleteProject: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                name: components["schemas"]["ProjectName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The project was deleted. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            409: components["responses"]["Conflict"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    getProjectUsage: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                name: components["schemas"]["ProjectName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProjectUsage"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    listTokens: {
        parameters: {
            query?: {
                project?: components["schemas"]["ProjectName"];
                /** @description Only tokens with this name. */
                name?: string;
                /** @description Only tokens in this state. */
                state?: "usable" | "expired" | "revoked";
                /** @description The maximum number of items per page. */
                limit?: number;
                /** @description The value of `next` in the previous page. */
                cursor?: string;
            };
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiTokenPage"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    createToken: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ApiTokenRequest"];
            };
        };
        responses: {
            /** @description Default Response */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewApiToken"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    getToken: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    revokeToken: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token is revoked. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    rotateToken: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The same key and request get the same response for 24 hours. Up to 255 printable ASCII characters without spaces.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ApiTokenRotation"];
            };
        };
        responses: {
            /** @description Default Response */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewApiToken"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    listRegistryCredentials: {
        parameters: {
            query?: {
                /** @description The maximum number of items per page. */
                limit?: number;
                /** @description The value of `next` in the previous page. */
                cursor?: string;
            };
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RegistryCredentialPage"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    getRegistryCredential: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                /** @description The registry as references name it: `name[:port]`; Docker Hub is `docker.io`. */
                host: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RegistryCredential"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    putRegistryCredential: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                /** @description The registry as references name it: `name[:port]`; Docker Hub is `docker.io`. */
                host: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewRegistryCredential"];
            };
        };
        responses: {
            /** @description The credential was replaced. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RegistryCredential"];
                };
            };
            /** @description The credential was stored. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RegistryCredential"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["MisdirectedRequest"];
            422: components["responses"]["UnprocessableEntity"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    deleteRegistryCredential: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path: {
                /** @description The registry as references name it: `name[:port]`; Docker Hub is `docker.io`. */
                host: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The credential was deleted. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            507: components["responses"]["InsufficientStorage"];
        };
    };
    listAuditLog: {
        parameters: {
            query?: {
                /** @description Only events at this time or later. */
                since?: string;
                /** @description Only events before this time. */
                until?: string;
                /** @description Only events of this project. */
                project?: string;
                /** @description Only events of this caller. */
                subject?: string;
                /** @description Only this operation, such as `createToken`. */
                action?: string;
                /** @description Only events that ended like this. */
                outcome?: "allowed" | "denied" | "failed";
                /** @description Only events of this repository, as `host/repository`; the host `embedded` is that of the broker. */
                repository?: string;
                /** @description The maximum number of items per page. */
                limit?: number;
                /** @description The value of `next` in the previous page, or the id of the last line of an export. */
                cursor?: string;
            };
            header?: {
                /**
                 * @description The `ETag` of a response that the client has. If it is still current, the response is 304.
                 * @example W/"x1qJ"
                 */
                "If-None-Match"?: components["parameters"]["If-None-Match"];
                /**
                 * @description The project that an administrator works in: the request sees what belongs to it, and creates in it. Default: all projects are seen, and `default` gets what is new. Others may name their own project only.
                 * @example team-a
                 */
                "Record-Broker-Project"?: components["parameters"]["Record-Broker-Project"];
                /**
                 * @description An id for the request, which its response and log lines repeat. Default, and instead of a malformed one: a new id.
                 * @example 6f9b4f0e-2a63-4c1d-9a43-1f1f6d2f7c11
                 */
                "X-Request-Id"?: components["parameters"]["X-Request-Id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of events, or all of them as lines. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                    "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                    "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditPage"];
                    "application/x-ndjson": string;
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            405: components["responses"]["MethodNotAllowed"];
            421: components["responses"]["MisdirectedRequest"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["RequestHeaderFieldsTooLarge"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    jobFinished: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description The id of the message, the same for all of its deliveries.
                 * @example msg_019ab1c2
                 */
                "webhook-id": string;
                /**
                 * @description When this delivery was sent, in seconds since 1970.
                 * @example 1767323045
                 */
                "webhook-timestamp": string;
                /**
                 * @description `v1,` and the HMAC-SHA256 of `ID.TIMESTAMP.BODY` in base64.
                 * @example v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=
                 */
                "webhook-signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CallbackMessage"];
            };
        };
        responses: {
            /** @description The receiver is gone: the broker sends this message no more. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The message was received. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The broker sends the message again, with growing pauses, ten times in total. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
}
