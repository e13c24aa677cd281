% A decoder by REST alone, in MATLAB (R2016b or newer) or Octave 7: asks for bins and answers each.
%
%   octave decoder.m
%
% The environment says where the server is: PHANTOM_PORT (8000), PHANTOM_TOKEN, PHANTOM_SESSION (demo), and
% after how many bins to stop: PHANTOM_PACKETS (never).
port = getenv('PHANTOM_PORT');
if isempty(port), port = '8000'; end
code = getenv('PHANTOM_SESSION');
if isempty(code), code = 'demo'; end
packets = str2double(getenv('PHANTOM_PACKETS'));
token = {'Authorization', ['Bearer ' getenv('PHANTOM_TOKEN')]};
asking = weboptions('ContentType', 'text', 'Timeout', 20, 'HeaderFields', token);
telling = weboptions('ContentType', 'text', 'RequestMethod', 'post', 'HeaderFields', token);

api = ['http://127.0.0.1:' port '/api/sessions'];
webread([api '?custom_code=' code], telling); % made, if it is not there
since = ''; % first the next bin, then what follows
received = 0;
while isnan(packets) || received < packets
    found = jsondecode(webread([api '/' code '/bins?decoder=matlab' since], asking)); % waits up to 10 s
    since = sprintf('&since=%d', found.next);
    for i = 1:numel(found.bins)
        bin = found.bins(i);
        counts = bin.spikes.spike_counts; % of each unit
        % Put your decoder here. This one says that the cursor rests in the centre.
        x = 0;
        y = 0;
        answer = sprintf('sequence_number=%d&x=%f&y=%f&decoder=matlab', bin.sequence_number, x, y);
        webread([api '/' code '/predictions?' answer], telling);
        received = received + 1;
    end
    if ~isempty(found.bins)
        fprintf('bin %d: %d spikes, %d lost\n', bin.sequence_number, sum(counts), found.lost);
    end
end
fprintf('%d bins\n', received);
