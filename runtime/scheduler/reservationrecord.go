package scheduler

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pacer-run/pacer/runtime/spec"
)

// reservationRecord is the part of an instance's record about its reservation.
type reservationRecord struct {
	Volumes  []volumeRecord `json:"v"`
	Deadline spec.Timestamp `json:"d,omitempty"`
}

type volumeRecord struct {
	ContainerPath string `json:"p"`
	UUID          string `json:"id"`
}

func reservationRecordOf(r *Reservation) reservationRecord {
	rec := reservationRecord{Deadline: r.Deadline}
	for _, v := range r.Volumes {
		rec.Volumes = append(rec.Volumes, volumeRecord{ContainerPath: v.ContainerPath, UUID: v.UUID.String()})
	}
	return rec
}

// decodeReservation reads the part of a record; nil for none.
func decodeReservation(raw *json.RawMessage) (*Reservation, error) {
	if raw == nil {
		return nil, nil
	}
	var rec reservationRecord
	if err := json.Unmarshal(*raw, &rec); err != nil {
		return nil, fmt.Errorf("reservation: %w", err)
	}
	if len(rec.Volumes) == 0 {
		return nil, errors.New("reservation: expected volumes, found none")
	}
	r := &Reservation{Deadline: rec.Deadline}
	for _, v := range rec.Volumes {
		id, err := ParseUUID(v.UUID)
		if err != nil {
			return nil, fmt.Errorf("reservation: volume %s: %w", v.ContainerPath, err)
		}
		r.Volumes = append(r.Volumes, LocalVolume{ContainerPath: v.ContainerPath, UUID: id})
	}
	return r, nil
}

// release reads a reservation that is to be given back.
func (l *loader) release(r Record) error {
	id, err := releaseID(r.Key)
	if err != nil {
		return err
	}
	var rec release
	if err := json.Unmarshal(r.Value, &rec); err != nil {
		return err
	}
	l.s.releases[id] = rec
	l.s.addRole(rec.Role)
	l.s.alarms.add(alarm{at: rec.Until, kind: alarmRelease})
	return nil
}
